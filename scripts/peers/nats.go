package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The stream that is written to, with a subject for each client.
const stream = "bench"

// jetStream is three NATS servers and a stream with three replicas in files, of which every
// write is synced.
type jetStream struct {
	servers
	connections int
	urls        map[string]string
	leader      string
}

func startNats(ctx context.Context, setup setup, dir string) (store, error) {
	first, err := freePorts(6)
	if err != nil {
		return nil, err
	}
	var routes []string
	for i := range 3 {
		routes = append(routes, fmt.Sprintf("%q", "nats://"+address(first+3+i)))
	}
	n := &jetStream{connections: setup.connections, urls: map[string]string{}}
	for i := range 3 {
		name := fmt.Sprintf("n%d", i)
		config := filepath.Join(dir, name+".conf")
		text := fmt.Sprintf(`server_name: %s
listen: "%s"
jetstream { store_dir: "%s", sync_interval: always }
cluster { name: peers, listen: "%s", routes: [%s] }
`, name, address(first+i), filepath.Join(dir, name), address(first+3+i), strings.Join(routes, ", "))
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			n.stop()
			return nil, err
		}
		p, err := start(dir, name, nil, setup.nats, "--config", config)
		if err != nil {
			n.stop()
			return nil, err
		}
		n.servers, n.urls[name] = append(n.servers, p), "nats://"+address(first+i)
	}
	if err := n.until(ctx, n.makeStream); err != nil {
		n.stop()
		return nil, fmt.Errorf("NATS is not ready: %w", err)
	}
	return n, nil
}

// makeStream succeeds when the stream has a leader and two replicas that are up to date.
func (n *jetStream) makeStream(ctx context.Context) error {
	link, err := nats.Connect(n.urls["n0"])
	if err != nil {
		return err
	}
	defer link.Close()
	js, err := jetstream.New(link)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	made, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: stream, Subjects: []string{stream + ".>"}, Storage: jetstream.FileStorage, Replicas: 3,
	})
	if err != nil {
		return err
	}
	info, err := made.Info(ctx)
	if err != nil {
		return err
	}
	if info.Cluster == nil || n.urls[info.Cluster.Leader] == "" || len(info.Cluster.Replicas) != 2 {
		return errors.New("the stream has no leader")
	}
	for _, replica := range info.Cluster.Replicas {
		if !replica.Current {
			return fmt.Errorf("%s is behind", replica.Name)
		}
	}
	n.leader = n.urls[info.Cluster.Leader]
	return nil
}

// load publishes 64 bytes, and waits for the acknowledgement of the stream.
func (n *jetStream) load(ctx context.Context, clients int, t times) (moves, error) {
	var links []jetstream.JetStream
	for range min(clients, n.connections) {
		link, err := nats.Connect(n.leader)
		if err != nil {
			return moves{}, err
		}
		defer link.Close()
		js, err := jetstream.New(link)
		if err != nil {
			return moves{}, err
		}
		links = append(links, js)
	}
	subjects := make([]string, clients)
	for client := range clients {
		subjects[client] = fmt.Sprintf("%s.%d", stream, client)
	}
	return closedLoop(ctx, clients, t, n.pids(), func(ctx context.Context, client int) error {
		_, err := links[client%len(links)].Publish(ctx, subjects[client], []byte(value))
		return unlessOver(ctx, err)
	})
}

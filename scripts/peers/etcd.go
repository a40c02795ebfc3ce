package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// etcd is three members, as they are when nothing is said: every batch of the log is synced.
type etcd struct {
	servers
	connections int
	urls        []string
	leader      string
}

func startEtcd(ctx context.Context, setup setup, dir string) (store, error) {
	first, err := freePorts(6)
	if err != nil {
		return nil, err
	}
	var all []string
	for i := range 3 {
		all = append(all, fmt.Sprintf("e%d=http://%s", i, address(first+3+i)))
	}
	e := &etcd{connections: setup.connections}
	for i := range 3 {
		name, url, peer := fmt.Sprintf("e%d", i), "http://"+address(first+i), "http://"+address(first+3+i)
		p, err := start(dir, name, nil, setup.etcd, "--name", name, "--data-dir", name,
			"--listen-client-urls", url, "--advertise-client-urls", url,
			"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
			"--initial-cluster", strings.Join(all, ","), "--log-level", "error")
		if err != nil {
			e.stop()
			return nil, err
		}
		e.servers, e.urls = append(e.servers, p), append(e.urls, url)
	}
	if err := e.until(ctx, e.findLeader); err != nil {
		e.stop()
		return nil, fmt.Errorf("etcd is not ready: %w", err)
	}
	return e, nil
}

// findLeader succeeds when all three are of one mind. Clients ask the leader only, which
// spares a hop, as ours do.
func (e *etcd) findLeader(ctx context.Context) error {
	leaders := map[uint64]string{}
	var leader uint64
	for _, url := range e.urls {
		client, err := e.connect(url)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		status, err := client.Status(ctx, url)
		cancel()
		_ = client.Close()
		if err != nil {
			return err
		}
		leaders[status.Header.MemberId], leader = url, status.Leader
	}
	e.leader = leaders[leader]
	if len(leaders) < 3 || e.leader == "" {
		return errors.New("no leader")
	}
	return nil
}

func (e *etcd) connect(url string) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{
		Endpoints: []string{url}, DialTimeout: 2 * time.Second, Logger: zap.NewNop(),
	})
}

// load puts 64 bytes at a key of each client's own.
func (e *etcd) load(ctx context.Context, clients int, t times) (moves, error) {
	var links []*clientv3.Client
	for range min(clients, e.connections) {
		link, err := e.connect(e.leader)
		if err != nil {
			return moves{}, err
		}
		defer link.Close()
		links = append(links, link)
	}
	keys := make([]string, clients)
	for client := range clients {
		keys[client] = fmt.Sprintf("bench/%d", client)
	}
	return closedLoop(ctx, clients, t, e.pids(), func(ctx context.Context, client int) error {
		_, err := links[client%len(links)].Put(ctx, keys[client], value)
		return unlessOver(ctx, err)
	})
}

// unlessOver forgets an error that only says that the load is over.
func unlessOver(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

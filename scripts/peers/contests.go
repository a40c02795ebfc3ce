package main

import (
	"context"
	"fmt"
	"time"
)

// What is written: 64 bytes.
const value = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// setup is what somebody asked for.
type setup struct {
	hangraft, etcd, nats, centrifugo string

	clients, connections, idle, watchers int

	times              times
	idleFor, pingEvery time.Duration
}

// contest is one kind of work that several can do. The first contestant is ours.
type contest struct {
	title       string
	columns     []string
	contestants []contestant
	// Whom ours is compared with.
	pairs []string
}

// contestant is one of them. It runs alone, in a folder of its own.
type contestant struct {
	name, how string
	run       func(ctx context.Context, dir string) ([]float64, error)
}

// store is a cluster that stores what clients write, on the disks of a majority.
type store interface {
	load(ctx context.Context, clients int, t times) (moves, error)
	stop()
}

// durable is about writes that a majority has on disk before they are answered.
func durable(s setup) contest {
	writes := func(start func(context.Context, setup, string) (store, error)) func(context.Context, string) ([]float64, error) {
		return func(ctx context.Context, dir string) ([]float64, error) {
			store, err := start(ctx, s, dir)
			if err != nil {
				return nil, err
			}
			defer store.stop()
			lone, err := store.load(ctx, 1, s.times)
			if err != nil {
				return nil, err
			}
			many, err := store.load(ctx, s.clients, s.times)
			if err != nil {
				return nil, err
			}
			return []float64{
				lone.p50ms, lone.serverUs, many.perSecond, many.p50ms, many.p99ms, many.serverUs, many.loadUs,
			}, nil
		}
	}
	links := fmt.Sprintf("%d connections to the leader", min(s.connections, s.clients))
	return contest{
		title: fmt.Sprintf("Durable writes: one client, and %d", s.clients),
		columns: []string{
			"lone p50 ms", "lone, servers' CPU us/op", "ops/s", "p50 ms", "p99 ms", "servers' CPU us/op", "load's CPU us/op",
		},
		contestants: []contestant{
			{"Hangraft", "3 nodes, `demo --no-limits`; `bench stream`: moves at the leader over 4 gRPC streams", writes(startStream)},
			{"Hangraft, sockets", "the same with a frontend, whose CPU counts; `bench sockets`: a socket each, answer and pushed view", writes(startSockets)},
			{"etcd", "3 members, defaults (every log write is synced); puts of 64 bytes, " + links, writes(startEtcd)},
			{"NATS", "3 servers, JetStream R3, file, `sync_interval: always`; publishes of 64 bytes, each acknowledged, " + links, writes(startNats)},
		},
		pairs: []string{"etcd", "NATS"},
	}
}

// starter starts a server that holds sockets.
type starter func(context.Context, setup, string) (hub, error)

// holding runs something at a server that holds sockets.
func (s setup) holding(start starter, do func(context.Context, hub) ([]float64, error)) func(context.Context, string) ([]float64, error) {
	return func(ctx context.Context, dir string) ([]float64, error) {
		h, err := start(ctx, s, dir)
		if err != nil {
			return nil, err
		}
		defer h.stop()
		return do(ctx, h)
	}
}

// waiting is about sockets on which nothing happens.
func waiting(s setup) contest {
	hold := func(ctx context.Context, h hub) ([]float64, error) {
		seen, err := holdIdle(ctx, h, s.idle, s.pingEvery, s.idleFor)
		return []float64{seen.rssKiB, seen.slabKiB, seen.cpuUs, seen.emptyMiB, seen.fullMiB}, err
	}
	return contest{
		title: fmt.Sprintf("%d idle sockets, one ping and its answer each %s", s.idle, s.pingEvery),
		columns: []string{
			"RSS KiB/socket", "slab KiB/socket, both ends", "CPU us/socket/s", "RSS MiB empty", "RSS MiB full",
		},
		contestants: []contestant{
			{"Hangraft", "one frontend; the client pings", s.holding(startFrontend, hold)},
			{"Centrifugo", "one server as it is shipped, `client.ping_interval`; the server pings", s.holding(centrifugo(asShipped), hold)},
			{"Centrifugo, tuned", "the same with `websocket.read_buffer_size: 512` and `use_write_buffer_pool`", s.holding(centrifugo(tuned), hold)},
		},
		pairs: []string{"Centrifugo", "Centrifugo, tuned"},
	}
}

// telling is about one message that many are told.
func telling(s setup) contest {
	tell := func(ctx context.Context, h hub) ([]float64, error) {
		seen, err := tellMany(ctx, h, s.watchers, s.times)
		return []float64{seen.perSecond, seen.p50ms, seen.p99ms, seen.serverUs, seen.bytes}, err
	}
	return contest{
		title: fmt.Sprintf("One says 64 bytes to %d, the next when all have heard it", s.watchers),
		columns: []string{
			"deliveries/s", "p50 ms", "p99 ms", "servers' CPU us/delivery", "bytes each",
		},
		contestants: []contestant{
			{"Hangraft", "a line of chat in a watched room; 3 nodes and a frontend, on disks before it is told", s.holding(startFrontend, tell)},
			{"Centrifugo", "a publication in a channel; one server, in memory only, no history", s.holding(centrifugo(asShipped), tell)},
		},
		pairs: []string{"Centrifugo"},
	}
}

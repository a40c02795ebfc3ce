package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// times is how long a load lasts.
type times struct {
	warmup, measure time.Duration
}

// moves is what a run with some clients saw. A client waits for its answer before it asks again.
type moves struct {
	perSecond, p50ms, p99ms float64
	// CPU time per operation, of all servers and of the load generator.
	serverUs, loadUs float64
}

// operation is one durable write of a client.
type operation func(ctx context.Context, client int) error

// answered is one operation that was answered.
type answered struct {
	at   time.Time
	took time.Duration
}

// closedLoop lets clients write, and measures what is answered within the measured time.
func closedLoop(ctx context.Context, clients int, t times, pids []int, write operation) (moves, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	seen := make([][]answered, clients)
	var wait sync.WaitGroup
	for client := range clients {
		wait.Go(func() {
			for ctx.Err() == nil {
				began := time.Now()
				if err := write(ctx, client); err != nil {
					cancel(fmt.Errorf("client %d: %w", client, err))
					return
				}
				now := time.Now()
				seen[client] = append(seen[client], answered{now, now.Sub(began)})
			}
		})
	}
	spent, err := between(ctx, t, pids)
	cancel(nil)
	wait.Wait()
	if err != nil {
		return moves{}, err
	}
	var took []time.Duration
	for _, answers := range seen {
		took = append(took, spent.within(answers)...)
	}
	return spent.moves(took), nil
}

// spent is what a measured time cost.
type spent struct {
	from, to      time.Time
	servers, load time.Duration
}

// between lets the warm-up pass, and measures from then on.
func between(ctx context.Context, t times, pids []int) (spent, error) {
	if err := pause(ctx, t.warmup); err != nil {
		return spent{}, err
	}
	s, load := spent{from: time.Now()}, ownCPU()
	before, err := cpu(pids)
	if err != nil {
		return spent{}, err
	}
	if err := pause(ctx, t.measure); err != nil {
		return spent{}, err
	}
	after, err := cpu(pids)
	if err != nil {
		return spent{}, err
	}
	s.to, s.servers, s.load = time.Now(), after-before, ownCPU()-load
	return s, nil
}

// within keeps what was answered in the measured time.
func (s spent) within(answers []answered) []time.Duration {
	var took []time.Duration
	for _, answer := range answers {
		if answer.at.After(s.from) && !answer.at.After(s.to) {
			took = append(took, answer.took)
		}
	}
	return took
}

func (s spent) moves(took []time.Duration) moves {
	count := float64(len(took))
	return moves{
		perSecond: count / s.to.Sub(s.from).Seconds(),
		p50ms:     quantile(took, 0.5),
		p99ms:     quantile(took, 0.99),
		serverUs:  float64(s.servers.Microseconds()) / count,
		loadUs:    float64(s.load.Microseconds()) / count,
	}
}

// pause waits, unless something goes wrong meanwhile.
func pause(ctx context.Context, length time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(length):
		return nil
	}
}

// quantile sorts times and takes one of them, in milliseconds.
func quantile(took []time.Duration, share float64) float64 {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return float64(took[int(share*float64(len(took)-1))].Microseconds()) / 1000
}

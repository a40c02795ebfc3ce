package main

import (
	"context"
	"fmt"
	"time"
)

// idle is what sockets cost on which nothing happens but a ping and its answer.
type idle struct {
	// Memory of the process that holds them, before they came and now, in MiB.
	emptyMiB, fullMiB float64
	// Memory that came with each, in KiB: the process's, and the kernel's for both ends.
	rssKiB, slabKiB float64
	// CPU time of that process per socket and second.
	cpuUs float64
}

// holdIdle opens sockets, lets them settle, and looks what they cost.
func holdIdle(ctx context.Context, h hub, count int, pingEvery, measure time.Duration) (idle, error) {
	empty, err := rssKiB(h.holder)
	if err != nil {
		return idle{}, err
	}
	slabBefore, err := slabKiB()
	if err != nil {
		return idle{}, err
	}
	c, ctx, err := gather(ctx, h, count)
	if err != nil {
		return idle{}, err
	}
	defer c.leave()
	for _, s := range c.sockets {
		c.listen(ctx, s, func([]byte) {})
	}
	if ping := h.words.ping(); ping != "" {
		c.wait.Go(func() { c.pingAll(ctx, ping, pingEvery) })
	}
	// Everybody has pinged once.
	if err := pause(ctx, pingEvery); err != nil {
		return idle{}, err
	}
	heard, said := c.heard.Load(), c.said.Load()
	spent, err := between(ctx, times{measure: measure}, []int{h.holder})
	if err != nil {
		return idle{}, err
	}
	heard, said = c.heard.Load()-heard, c.said.Load()-said
	if err := keptTime(float64(count)*measure.Seconds()/pingEvery.Seconds(), heard, said); err != nil {
		return idle{}, err
	}
	full, err := rssKiB(h.holder)
	if err != nil {
		return idle{}, err
	}
	slab, err := slabKiB()
	if err != nil {
		return idle{}, err
	}
	n := float64(count)
	return idle{
		emptyMiB: empty / 1024, fullMiB: full / 1024,
		rssKiB: (full - empty) / n, slabKiB: (slab - slabBefore) / n,
		cpuUs: float64(spent.servers.Microseconds()) / n / spent.to.Sub(spent.from).Seconds(),
	}, nil
}

// keptTime holds both sides to the rhythm, or the figures would say nothing.
func keptTime(expected float64, heard, said int64) error {
	for _, count := range []int64{heard, said} {
		if float64(count) < 0.9*expected || float64(count) > 1.1*expected {
			return fmt.Errorf("%d messages heard and %d said where %.0f were planned of each", heard, said, expected)
		}
	}
	return nil
}

// pingAll pings on every socket in turn, so that each is pinged at its time.
func (c *crowd) pingAll(ctx context.Context, ping string, every time.Duration) {
	began := time.Now()
	for turn := 0; ctx.Err() == nil; turn++ {
		due := began.Add(time.Duration(float64(every) * float64(turn) / float64(len(c.sockets))))
		if wait := time.Until(due); wait > time.Millisecond {
			if pause(ctx, wait) != nil {
				return
			}
		}
		if err := c.sockets[turn%len(c.sockets)].say(ping); err != nil {
			if ctx.Err() == nil {
				c.cancel(fmt.Errorf("a socket broke: %w", err))
			}
			return
		}
		c.said.Add(1)
	}
}

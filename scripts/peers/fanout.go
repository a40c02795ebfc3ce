package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// fanout is what it costs to tell many what one says.
type fanout struct {
	// What was told to somebody, in a second, and how long it was on its way, in milliseconds.
	perSecond, p50ms, p99ms float64
	// CPU time of all servers for each, and how long each was.
	serverUs, bytes float64
}

// message is what is being said, and whom it has reached.
type message struct {
	text []byte
	sent time.Time
	// How many have not heard it yet.
	missing atomic.Int64
	all     chan struct{}
}

// gallery are watchers of one place, and the one who speaks there.
type gallery struct {
	*crowd
	place   string
	speaker *socket
	now     atomic.Pointer[message]
	length  atomic.Int64
	// What each watcher has heard last, and how long everything took to reach it.
	last []*message
	seen [][]answered
}

// tellMany says one thing after the other to so many: the next when all have heard the last.
func tellMany(ctx context.Context, h hub, watchers int, t times) (fanout, error) {
	c, ctx, err := gather(ctx, h, watchers+1)
	if err != nil {
		return fanout{}, err
	}
	defer c.leave()
	g := &gallery{
		crowd: c, speaker: c.sockets[watchers],
		last: make([]*message, watchers), seen: make([][]answered, watchers),
	}
	if g.place, err = h.words.stage(g.speaker); err != nil {
		return fanout{}, err
	}
	c.listen(ctx, g.speaker, func([]byte) {})
	for watcher, s := range c.sockets[:watchers] {
		c.listen(ctx, s, func(text []byte) { g.hears(watcher, text) })
		if err := s.say(h.words.watch(g.place)); err != nil {
			return fanout{}, err
		}
	}
	// Who has come too late for the first words hears them all the same, or we wait in vain.
	if err := pause(ctx, time.Second); err != nil {
		return fanout{}, err
	}
	c.wait.Go(func() { g.speak(ctx) })
	spent, err := between(ctx, t, h.all)
	if err != nil {
		return fanout{}, err
	}
	c.leave()
	return g.told(spent), nil
}

// speak says one thing after the other until the load is over.
func (g *gallery) speak(ctx context.Context) {
	for number := 0; ctx.Err() == nil; number++ {
		text := fmt.Sprintf("m%08d", number)
		text += strings.Repeat(".", len(value)-len(text))
		m := &message{text: []byte(text), all: make(chan struct{})}
		m.missing.Store(int64(len(g.seen)))
		m.sent = time.Now()
		g.now.Store(m)
		if err := g.speaker.say(g.hub.words.say(g.place, text, number)); err != nil {
			if ctx.Err() == nil {
				g.cancel(fmt.Errorf("the speaker's socket broke: %w", err))
			}
			return
		}
		select {
		case <-m.all:
		case <-ctx.Done():
		case <-time.After(answerMax):
			g.cancel(fmt.Errorf("%d of %d have not heard %s within %s", m.missing.Load(), len(g.seen), text[:9], answerMax))
		}
	}
}

// hears notes what reaches a watcher, if it has what is being said. What is told twice, as a
// view of a room may be, counts once.
func (g *gallery) hears(watcher int, text []byte) {
	m := g.now.Load()
	if m == nil || m == g.last[watcher] || !bytes.Contains(text, m.text) {
		return
	}
	g.last[watcher] = m
	now := time.Now()
	g.seen[watcher] = append(g.seen[watcher], answered{now, now.Sub(m.sent)})
	g.length.Store(int64(len(text)))
	if m.missing.Add(-1) == 0 {
		close(m.all)
	}
}

func (g *gallery) told(spent spent) fanout {
	var took []time.Duration
	for _, seen := range g.seen {
		took = append(took, spent.within(seen)...)
	}
	m := spent.moves(took)
	return fanout{m.perSecond, m.p50ms, m.p99ms, m.serverUs, float64(g.length.Load())}
}

package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// plainly is a server that gives every text to all, and answers hello and pings with "ok".
func plainly(t *testing.T) hub {
	broadcast := make(chan struct {
		text []byte
		to   chan []byte
	}, 64)
	go func() {
		var all []chan []byte
		for heard := range broadcast {
			if heard.to != nil {
				all = append(all, heard.to)
				continue
			}
			for _, to := range all {
				to <- heard.text
			}
		}
	}()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		link, _, _, err := ws.UpgradeHTTP(r, w)
		if err != nil {
			return
		}
		defer link.Close()
		to := make(chan []byte, 1024)
		go func() {
			for text := range to {
				_ = wsutil.WriteServerText(link, text)
			}
		}()
		for {
			text, err := wsutil.ReadClientText(link)
			switch {
			case err != nil:
				return
			case string(text) == "watch":
				broadcast <- struct {
					text []byte
					to   chan []byte
				}{nil, to}
			case strings.HasPrefix(string(text), "say"):
				broadcast <- struct {
					text []byte
					to   chan []byte
				}{text, nil}
			default:
				to <- []byte("ok")
			}
		}
	}))
	t.Cleanup(server.Close)
	return hub{url: "ws" + strings.TrimPrefix(server.URL, "http"), words: plainWords{}}
}

type plainWords struct{}

func (plainWords) hello() string                    { return "hello" }
func (plainWords) ping() string                     { return "ping" }
func (plainWords) pong([]byte) string               { return "" }
func (plainWords) stage(*socket) (string, error)    { return "here", nil }
func (plainWords) watch(string) string              { return "watch" }
func (plainWords) say(_, text string, _ int) string { return "say " + text }

// Each delivery is counted once, and the next message waits for all of the last.
func TestManyAreTold(t *testing.T) {
	seen, err := tellMany(t.Context(), plainly(t), 5, short)
	if err != nil {
		t.Fatal(err)
	}
	if seen.perSecond < 10 || seen.p50ms <= 0 || seen.bytes != float64(len("say ")+len(value)) {
		t.Error(seen)
	}
}

// Both sides keep to the rhythm.
func TestIdleSocketsPing(t *testing.T) {
	c, ctx, err := gather(t.Context(), plainly(t), 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range c.sockets {
		c.listen(ctx, s, func([]byte) {})
	}
	c.wait.Go(func() { c.pingAll(ctx, "ping", 100*time.Millisecond) })
	deadline := time.Now().Add(answerMax)
	for c.heard.Load() < 30 && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	c.leave()
	if heard, said := c.heard.Load(), c.said.Load(); heard < 30 || said < heard {
		t.Error(heard, said)
	}
	if keptTime(100, 95, 105) != nil || keptTime(100, 80, 100) == nil || keptTime(100, 100, 120) == nil {
		t.Error("the rhythm is not held")
	}
}

// A socket that breaks ends the load with a reason.
func TestABrokenSocketIsAnError(t *testing.T) {
	c, ctx, err := gather(t.Context(), plainly(t), 2)
	if err != nil {
		t.Fatal(err)
	}
	defer c.leave()
	for _, s := range c.sockets {
		c.listen(ctx, s, func([]byte) {})
	}
	_ = c.sockets[1].link.Close()
	select {
	case <-ctx.Done():
		if !strings.Contains(context.Cause(ctx).Error(), "a socket broke") {
			t.Error(context.Cause(ctx))
		}
	case <-time.After(answerMax):
		t.Error("nobody noticed")
	}
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// What Centrifugo is told about memory: nothing, or the two settings of the open-source
// edition that its makers name for many connections.
var (
	asShipped = map[string]any{}
	tuned     = map[string]any{"read_buffer_size": 512, "use_write_buffer_pool": true}
)

// centrifugo starts one server that keeps everything in memory and lets everybody in.
func centrifugo(websocket map[string]any) func(context.Context, setup, string) (hub, error) {
	return func(ctx context.Context, setup setup, dir string) (hub, error) {
		port, err := freePorts(1)
		if err != nil {
			return hub{}, err
		}
		text, err := json.Marshal(map[string]any{
			"http_server": map[string]any{"address": "127.0.0.1", "port": fmt.Sprint(port)},
			"client":      map[string]any{"insecure": true, "ping_interval": setup.pingEvery.String()},
			"websocket":   websocket,
			"usage_stats": map[string]any{"disabled": true},
			"log":         map[string]any{"level": "error"},
		})
		if err != nil {
			return hub{}, err
		}
		config := filepath.Join(dir, "config.json")
		if err := os.WriteFile(config, text, 0o600); err != nil {
			return hub{}, err
		}
		p, err := start(dir, "centrifugo", nil, setup.centrifugo, "--config", config)
		if err != nil {
			return hub{}, err
		}
		h := hub{
			servers: servers{p}, holder: p.pid(), all: []int{p.pid()},
			url: "ws://" + address(port) + "/connection/websocket", words: centrifugoWords{},
		}
		if err := h.until(ctx, func(context.Context) error { return listens(port) }); err != nil {
			h.stop()
			return hub{}, fmt.Errorf("centrifugo is not ready: %w", err)
		}
		return h, nil
	}
}

func listens(port int) error {
	link, err := net.DialTimeout("tcp", address(port), time.Second)
	if err != nil {
		return err
	}
	return link.Close()
}

// centrifugoWords are what a client of Centrifugo says, in its JSON protocol.
type centrifugoWords struct{}

func (centrifugoWords) hello() string { return `{"id":1,"connect":{}}` }
func (centrifugoWords) ping() string  { return "" }

// pong answers the server, which is the one who pings.
func (centrifugoWords) pong(heard []byte) string {
	if string(heard) == "{}" {
		return "{}"
	}
	return ""
}

func (centrifugoWords) stage(*socket) (string, error) { return "room", nil }

func (centrifugoWords) watch(room string) string {
	return fmt.Sprintf(`{"id":3,"subscribe":{"channel":%q}}`, room)
}

func (centrifugoWords) say(room, text string, number int) string {
	return fmt.Sprintf(`{"id":%d,"publish":{"channel":%q,"data":{"text":%q}}}`, 10+number, room, text)
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// hangraft is a demo of three nodes and a frontend, whose players are held to no pace.
type hangraft struct {
	servers
	program, dir, url string
	// The processes of the demo. The one that we started only looks after them.
	nodes    []int
	frontend int
}

// The part of demo.json that we need.
type record struct {
	Nodes     []struct{ Pid int }
	Frontends []struct{ Pid int }
}

func startHangraft(ctx context.Context, setup setup, dir string) (*hangraft, error) {
	port, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	nodes, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	h := &hangraft{program: setup.hangraft, dir: dir, url: "http://" + address(port)}
	// A frontend takes 10,000 sockets if nobody says otherwise.
	env := []string{"HANGRAFT_FRONTEND_LIMITS__SOCKETS_MAX=40000"}
	p, err := start(dir, "demo", env, setup.hangraft, "demo", "--dir", dir, "--no-limits",
		"--stop-with-parent", "--frontends", "1", "--port", fmt.Sprint(port), "--node-port", fmt.Sprint(nodes))
	if err != nil {
		return nil, err
	}
	h.servers = servers{p}
	if err := h.until(ctx, h.ready); err != nil {
		h.stop()
		return nil, fmt.Errorf("hangraft is not ready: %w", err)
	}
	return h, nil
}

func (h *hangraft) ready(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url+"/readyz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New("the frontend is not ready")
	}
	text, err := os.ReadFile(filepath.Join(h.dir, "demo.json"))
	if err != nil {
		return err
	}
	var record record
	if err := json.Unmarshal(text, &record); err != nil {
		return err
	}
	if len(record.Nodes) != 3 || len(record.Frontends) != 1 {
		return errors.New("the demo is not complete")
	}
	h.nodes, h.frontend = nil, record.Frontends[0].Pid
	for _, node := range record.Nodes {
		h.nodes = append(h.nodes, node.Pid)
	}
	return nil
}

// Players at nodes, as frontends speak with them, and players at the frontend's sockets.
type (
	overStream  struct{ *hangraft }
	overSockets struct{ *hangraft }
)

func startStream(ctx context.Context, setup setup, dir string) (store, error) {
	h, err := startHangraft(ctx, setup, dir)
	return overStream{h}, err
}

func startSockets(ctx context.Context, setup setup, dir string) (store, error) {
	h, err := startHangraft(ctx, setup, dir)
	return overSockets{h}, err
}

func (h overStream) load(ctx context.Context, clients int, t times) (moves, error) {
	return h.bench(ctx, h.nodes, clients, t, "stream", "--dir", h.dir)
}

func (h overSockets) load(ctx context.Context, clients int, t times) (moves, error) {
	return h.bench(ctx, append([]int{h.frontend}, h.nodes...), clients, t, "sockets", "--url", h.url)
}

// The part of a bench's report that we need.
type report struct {
	Moves   float64
	Rate    float64                    `json:"moves_per_second"`
	Answers struct{ P50, P99 float64 } `json:"answer_ms"`
}

// bench runs Hangraft's own load generator, which ends as soon as it has measured.
func (h *hangraft) bench(ctx context.Context, pids []int, clients int, t times, args ...string) (moves, error) {
	args = append([]string{"bench"}, args...)
	args = append(args, "--players", fmt.Sprint(clients), "--output", "json",
		"--seconds", fmt.Sprint(int(t.measure.Seconds())), "--warmup", fmt.Sprint(int(t.warmup.Seconds())))
	command := exec.CommandContext(ctx, h.program, args...)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = stopMax
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	var out, trouble strings.Builder
	command.Stdout, command.Stderr = &out, &trouble
	if err := command.Start(); err != nil {
		return moves{}, err
	}
	all, load := newSampler(pids), newSampler([]int{command.Process.Pid})
	err := command.Wait()
	servers, generator := all.last(t.measure), load.last(t.measure)
	if err != nil {
		return moves{}, fmt.Errorf("hangraft bench: %w: %s%s", err, out.String(), trouble.String())
	}
	var told report
	if err := json.Unmarshal([]byte(out.String()), &told); err != nil {
		return moves{}, fmt.Errorf("cannot understand %q: %w", out.String(), err)
	}
	us := func(cost time.Duration) float64 { return float64(cost.Microseconds()) / told.Moves }
	return moves{told.Rate, told.Answers.P50, told.Answers.P99, us(servers), us(generator)}, nil
}

// hub is the frontend as a place that many look at.
func startFrontend(ctx context.Context, setup setup, dir string) (hub, error) {
	h, err := startHangraft(ctx, setup, dir)
	if err != nil {
		return hub{}, err
	}
	return hub{
		servers: h.servers, holder: h.frontend, all: append([]int{h.frontend}, h.nodes...),
		url: "ws" + strings.TrimPrefix(h.url, "http") + "/ws", words: hangraftWords{},
	}, nil
}

// hangraftWords are what a client of a frontend says; docs/protocol.md has them.
type hangraftWords struct{}

func (hangraftWords) hello() string      { return `{"id":1,"action":"hello","data":{"steps":true}}` }
func (hangraftWords) ping() string       { return `{"action":"ping"}` }
func (hangraftWords) pong([]byte) string { return "" }

// stage opens a room.
func (w hangraftWords) stage(s *socket) (string, error) {
	answer, err := s.ask(`{"id":2,"action":"open","data":{"game":"hangman","options":{"mode":"together"},"public":true}}`)
	if err != nil {
		return "", err
	}
	var opened struct{ Ok struct{ Room string } }
	if err := json.Unmarshal(answer, &opened); err != nil || opened.Ok.Room == "" {
		return "", fmt.Errorf("no room was opened: %s", answer)
	}
	return opened.Ok.Room, nil
}

func (hangraftWords) watch(room string) string {
	return fmt.Sprintf(`{"id":3,"action":"watch","data":{"room":%q}}`, room)
}

func (hangraftWords) say(room, text string, number int) string {
	return fmt.Sprintf(`{"id":%d,"action":"say","data":{"room":%q,"text":%q}}`, 10+number, room, text)
}

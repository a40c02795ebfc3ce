package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// How long a server may take to be ready, and to stop.
const (
	startMax = 60 * time.Second
	stopMax  = 10 * time.Second
)

// How often we look whether something has come true.
const look = 50 * time.Millisecond

// Ports are taken from here, below those that the system gives to clients.
const (
	firstPort = 20000
	lastPort  = 32000
)

// process is a server that we started and that we stop.
type process struct {
	command *exec.Cmd
	gone    chan struct{}
	// It stops when this is closed, if it was told to.
	stdin io.Closer
	log   string
}

// start runs a program in its own folder, and writes what it says into a file there.
func start(dir, name string, env []string, program string, args ...string) (*process, error) {
	log := filepath.Join(dir, name+".log")
	file, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	command := exec.Command(program, args...)
	command.Dir, command.Stdout, command.Stderr = dir, file, file
	command.Env = append(os.Environ(), env...)
	// It does not outlive us, whatever happens to us, and hears no Ctrl-C but ours.
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", program, err)
	}
	p := &process{command: command, gone: make(chan struct{}), stdin: stdin, log: log}
	go func() {
		_ = command.Wait()
		close(p.gone)
	}()
	return p, nil
}

func (p *process) pid() int { return p.command.Process.Pid }

// stop asks it to stop, and makes it if it does not.
func (p *process) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	_ = p.stdin.Close()
	select {
	case <-p.gone:
	case <-time.After(stopMax):
		_ = p.command.Process.Kill()
		<-p.gone
	}
}

// lastWords is the end of what it said, for an error message.
func (p *process) lastWords() string {
	text, _ := os.ReadFile(p.log)
	return string(text[max(0, len(text)-1500):])
}

// servers are the processes of one peer.
type servers []*process

func (s servers) stop() {
	for _, p := range s {
		p.stop()
	}
}

func (s servers) pids() []int {
	var pids []int
	for _, p := range s {
		pids = append(pids, p.pid())
	}
	return pids
}

// until asks until there is no error, everything has gone wrong, or it took too long.
func (s servers) until(ctx context.Context, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startMax)
	defer cancel()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		for _, p := range s {
			select {
			case <-p.gone:
				return fmt.Errorf("%s has ended: %s", p.command.Path, p.lastWords())
			default:
			}
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(look):
		}
	}
}

// freePorts finds so many ports in a row that nobody listens on, over TCP nor UDP.
func freePorts(count int) (int, error) {
	for range 200 {
		first := firstPort + rand.IntN(lastPort-firstPort-count)
		if allFree(first, count) {
			return first, nil
		}
	}
	return 0, fmt.Errorf("no %d free ports in a row between %d and %d", count, firstPort, lastPort)
}

func allFree(first, count int) bool {
	for port := first; port < first+count; port++ {
		tcp, err := net.Listen("tcp", address(port))
		if err != nil {
			return false
		}
		_ = tcp.Close()
		udp, err := net.ListenPacket("udp", address(port))
		if err != nil {
			return false
		}
		_ = udp.Close()
	}
	return true
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

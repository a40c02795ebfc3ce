package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
)

const (
	// Sockets that are being opened at a time.
	openingMax = 64
	// How long an answer may take.
	answerMax = 10 * time.Second
	// What is read of a socket in one go, and the longest message.
	readBytes  = 512
	frameBytes = 1 << 20
)

// words are what a client says to a server, and whom it pings.
type words interface {
	// The first message. It has an answer.
	hello() string
	// What a client says from time to time, if it is the client who does.
	ping() string
	// What a client answers to this, if it is a ping of the server.
	pong(heard []byte) string
	// Makes a place that many can look at, and says its name.
	stage(s *socket) (string, error)
	watch(place string) string
	say(place, text string, number int) string
}

// hub is a server that holds sockets.
type hub struct {
	servers
	// The process that holds them, and all that do something for them.
	holder int
	all    []int
	url    string
	words  words
}

// socket is one client's connection. One reads; whoever has something to say writes.
type socket struct {
	link    net.Conn
	reader  *bufio.Reader
	writing sync.Mutex
	frame   []byte
}

// open connects and says hello.
func (h hub) open(ctx context.Context) (*socket, error) {
	dialer := ws.Dialer{Timeout: answerMax, ReadBufferSize: readBytes, WriteBufferSize: readBytes}
	link, early, _, err := dialer.Dial(ctx, h.url)
	if err != nil {
		return nil, err
	}
	s := &socket{link: link, reader: bufio.NewReaderSize(link, readBytes)}
	if early != nil {
		// It holds what came together with the answer to the handshake.
		s.reader = early
	}
	if _, err := s.ask(h.words.hello()); err != nil {
		s.close()
		return nil, fmt.Errorf("no answer to hello: %w", err)
	}
	return s, nil
}

func (s *socket) close() { _ = s.link.Close() }

// say sends a text.
func (s *socket) say(text string) error { return s.send(ws.NewTextFrame([]byte(text))) }

func (s *socket) send(frame ws.Frame) error {
	bytes, err := ws.CompileFrame(ws.MaskFrameInPlace(frame))
	if err != nil {
		return err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	_, err = s.link.Write(bytes)
	return err
}

// ask says something and hears what comes next. Only for who has nobody reading.
func (s *socket) ask(text string) ([]byte, error) {
	_ = s.link.SetReadDeadline(time.Now().Add(answerMax))
	defer s.link.SetReadDeadline(time.Time{})
	if err := s.say(text); err != nil {
		return nil, err
	}
	return s.hear()
}

// hear reads the next text. It is good until the next is read.
func (s *socket) hear() ([]byte, error) {
	for {
		header, err := ws.ReadHeader(s.reader)
		if err != nil {
			return nil, err
		}
		if header.Length > frameBytes || !header.Fin || header.Masked {
			return nil, errors.New("cannot understand a frame")
		}
		if int64(cap(s.frame)) < header.Length {
			s.frame = make([]byte, header.Length)
		}
		s.frame = s.frame[:header.Length]
		if _, err := io.ReadFull(s.reader, s.frame); err != nil {
			return nil, err
		}
		switch header.OpCode {
		case ws.OpText:
			return s.frame, nil
		case ws.OpPing:
			if err := s.send(ws.NewPongFrame(append([]byte{}, s.frame...))); err != nil {
				return nil, err
			}
		case ws.OpClose:
			return nil, fmt.Errorf("the server has closed a socket: %q", s.frame)
		}
	}
}

// crowd are many sockets at one hub, each with a reader.
type crowd struct {
	hub     hub
	sockets []*socket
	heard   atomic.Int64
	said    atomic.Int64
	cancel  context.CancelCauseFunc
	wait    sync.WaitGroup
}

// gather opens so many sockets. The context ends when one of them breaks.
func gather(ctx context.Context, h hub, count int) (*crowd, context.Context, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	c := &crowd{hub: h, sockets: make([]*socket, count), cancel: cancel}
	next := atomic.Int64{}
	var opening sync.WaitGroup
	for range min(openingMax, count) {
		opening.Go(func() {
			for i := next.Add(1) - 1; i < int64(count) && ctx.Err() == nil; i = next.Add(1) - 1 {
				s, err := h.open(ctx)
				if err != nil {
					cancel(fmt.Errorf("cannot open socket %d: %w", i, err))
					return
				}
				c.sockets[i] = s
			}
		})
	}
	opening.Wait()
	if ctx.Err() != nil {
		err := context.Cause(ctx)
		c.leave()
		return nil, ctx, err
	}
	return c, ctx, nil
}

// listen reads a socket until it closes, answers pings, and shows everything else.
func (c *crowd) listen(ctx context.Context, s *socket, show func([]byte)) {
	c.wait.Go(func() {
		for {
			text, err := s.hear()
			if err == nil {
				c.heard.Add(1)
				if pong := c.hub.words.pong(text); pong != "" {
					c.said.Add(1)
					err = s.say(pong)
				} else {
					show(text)
				}
			}
			if err != nil {
				if ctx.Err() == nil {
					c.cancel(fmt.Errorf("a socket broke: %w", err))
				}
				return
			}
		}
	})
}

// leave closes every socket.
func (c *crowd) leave() {
	c.cancel(errors.New("the load is over"))
	for _, s := range c.sockets {
		if s != nil {
			s.close()
		}
	}
	c.wait.Wait()
}

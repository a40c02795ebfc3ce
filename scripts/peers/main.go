// Runs Hangraft and others beside it on this machine, each alone, one after the other, and says
// what each did and how they compare. `scripts/bench-peers` builds what this needs and calls it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Files that a process needs besides its sockets.
const otherFiles = 1500

// plan is what to run, and where.
type plan struct {
	setup
	parts, dir string
	rounds     int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	plan, err := read(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench-peers: %v; see --help\n", err)
		os.Exit(2)
	}
	if err := plan.run(ctx); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		fmt.Fprintf(os.Stderr, "bench-peers: %v\n", err)
		os.Exit(1)
	}
}

// read understands the command line.
func read(args []string) (plan, error) {
	var p plan
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.StringVar(&p.hangraft, "hangraft", "", "Hangraft's `binary`")
	flags.StringVar(&p.etcd, "etcd", "", "etcd's `binary`")
	flags.StringVar(&p.nats, "nats", "", "the NATS server's `binary`")
	flags.StringVar(&p.centrifugo, "centrifugo", "", "Centrifugo's `binary`")
	flags.StringVar(&p.dir, "dir", os.TempDir(), "a `folder` on a disk, for what servers store")
	flags.StringVar(&p.parts, "parts", "writes,idle,fanout", "what to run")
	flags.IntVar(&p.rounds, "rounds", 3, "how often each runs")
	flags.IntVar(&p.clients, "clients", 1000, "who write at once")
	flags.IntVar(&p.connections, "connections", 16, "over which they write, to etcd and NATS")
	flags.IntVar(&p.idle, "idle", min(18_000, filesMax()-otherFiles), "sockets that only ping")
	flags.IntVar(&p.watchers, "watchers", 1000, "who are told what one says")
	seconds := flags.Int("seconds", 6, "how long each is measured")
	warmup := flags.Int("warmup", 2, "how long it runs before that, in seconds")
	idleSeconds := flags.Int("idle-seconds", 30, "how long idle sockets are measured")
	pingSeconds := flags.Int("ping-seconds", 10, "how often an idle socket pings")
	flags.SetOutput(os.Stderr)
	if err := flags.Parse(args); err != nil {
		return p, err
	}
	p.times = times{time.Duration(*warmup) * time.Second, time.Duration(*seconds) * time.Second}
	p.idleFor, p.pingEvery = time.Duration(*idleSeconds)*time.Second, time.Duration(*pingSeconds)*time.Second
	if flags.NArg() > 0 {
		return p, fmt.Errorf("cannot understand %s", flags.Arg(0))
	}
	for _, program := range []*string{&p.hangraft, &p.etcd, &p.nats, &p.centrifugo} {
		// Servers start in folders of their own.
		absolute, err := filepath.Abs(*program)
		if err != nil {
			return p, err
		}
		*program = absolute
	}
	for _, number := range []int{p.rounds, p.clients, p.connections, p.idle, p.watchers, *seconds, *idleSeconds, *pingSeconds} {
		if number < 1 {
			return p, fmt.Errorf("every number is at least 1")
		}
	}
	if _, err := p.contests(); err != nil {
		return p, err
	}
	if most := filesMax() - otherFiles; max(p.idle, p.watchers) > most {
		return p, fmt.Errorf("a process may open %d files here, which is enough for %d sockets", filesMax(), most)
	}
	return p, nil
}

// contests are those that somebody asked for.
func (p plan) contests() ([]contest, error) {
	var contests []contest
	for part := range strings.SplitSeq(p.parts, ",") {
		switch part {
		case "writes":
			contests = append(contests, durable(p.setup))
		case "idle":
			contests = append(contests, waiting(p.setup))
		case "fanout":
			contests = append(contests, telling(p.setup))
		default:
			return nil, fmt.Errorf("there is no part %q, only writes, idle and fanout", part)
		}
	}
	return contests, nil
}

// run lets everybody do everything in turns, and prints a table for each contest.
func (p plan) run(ctx context.Context) error {
	contests, err := p.contests()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(p.dir, "run-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := onDisk(dir); err != nil {
		return err
	}
	for _, c := range contests {
		seen := results{}
		for round := range p.rounds {
			if err := c.round(ctx, dir, round, seen); err != nil {
				return fmt.Errorf("round %d: %w", round+1, err)
			}
		}
		fmt.Println(c.table(seen))
	}
	return nil
}

// round lets each contestant run once. Each round begins with another one.
func (c contest) round(ctx context.Context, dir string, round int, seen results) error {
	for i := range c.contestants {
		one := c.contestants[(i+round)%len(c.contestants)]
		fmt.Fprintf(os.Stderr, "%s, round %d: %s\n", c.title, round+1, one.name)
		home, err := filepath.Abs(filepath.Join(dir, fmt.Sprintf("%d-%d", round, i)))
		if err != nil {
			return err
		}
		if err := os.Mkdir(home, 0o700); err != nil {
			return err
		}
		figures, err := one.run(ctx, home)
		if err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
		seen[one.name] = append(seen[one.name], figures)
		if err := os.RemoveAll(home); err != nil {
			return err
		}
	}
	return nil
}

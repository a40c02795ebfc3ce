package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The kernel tells CPU time in hundredths of a second, on every machine that Linux runs on.
const tick = 10 * time.Millisecond

// The magic number of a tmpfs.
const tmpfs = 0x01021994

// cpu is the time that processes have spent on processors, user and system.
func cpu(pids []int) (time.Duration, error) {
	var sum time.Duration
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, fmt.Errorf("a server is gone: %w", err)
		}
		ticks, err := ticksOf(string(text))
		if err != nil {
			return 0, err
		}
		sum += time.Duration(ticks) * tick
	}
	return sum, nil
}

// ticksOf reads utime and stime, fields 14 and 15 of /proc/PID/stat. The name of the program
// before them may hold anything, but ends with the last bracket.
func ticksOf(stat string) (int64, error) {
	fields := strings.Fields(stat[strings.LastIndex(stat, ")")+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("cannot understand /proc/PID/stat: %q", stat)
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	return user + system, err
}

// ownCPU is what we have spent ourselves.
func ownCPU() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// rssKiB is the memory that a process holds.
func rssKiB(pid int) (float64, error) {
	return kib(fmt.Sprintf("/proc/%d/status", pid), "VmRSS:")
}

// slabKiB is what the kernel keeps for its own objects, sockets among them, of all processes.
func slabKiB() (float64, error) { return kib("/proc/meminfo", "Slab:") }

// kib reads a line such as `VmRSS:  1234 kB`.
func kib(path, name string) (float64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == name {
			return strconv.ParseFloat(fields[1], 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s", path, name)
}

// onDisk says whether a folder is on a disk: in memory nothing that is synced costs anything.
func onDisk(dir string) error {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		return fmt.Errorf("cannot look at %s: %w", dir, err)
	}
	if stat.Type == tmpfs {
		return fmt.Errorf("%s is in memory; name a folder on a disk with --dir", dir)
	}
	return nil
}

// filesMax is how many files a process may open here.
func filesMax() int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 1024
	}
	return int(min(limit.Max, 1<<20))
}

// sampler writes down what processes have spent, for a load that does not tell when its
// measured time began.
type sampler struct {
	stop    chan struct{}
	wait    sync.WaitGroup
	samples []sample
}

type sample struct {
	at   time.Time
	cost time.Duration
}

func newSampler(pids []int) *sampler {
	s := &sampler{stop: make(chan struct{})}
	s.wait.Go(func() {
		for {
			if cost, err := cpu(pids); err == nil {
				s.samples = append(s.samples, sample{time.Now(), cost})
			}
			select {
			case <-s.stop:
				return
			case <-time.After(look):
			}
		}
	})
	return s
}

// last is what was spent in so much time before the end.
func (s *sampler) last(window time.Duration) time.Duration {
	close(s.stop)
	s.wait.Wait()
	return spentInLast(s.samples, window)
}

func spentInLast(samples []sample, window time.Duration) time.Duration {
	if len(samples) == 0 {
		return 0
	}
	end := samples[len(samples)-1]
	for _, sample := range samples {
		if !sample.at.Before(end.at.Add(-window)) {
			length := end.at.Sub(sample.at)
			if length == 0 {
				return 0
			}
			// The sample is a little younger than the window.
			return time.Duration(float64(end.cost-sample.cost) * float64(window) / float64(length))
		}
	}
	return 0
}

package main

import (
	"os"
	"testing"
	"time"
)

// The name of a program may look like the rest of the line.
func TestTicksAreFoundBehindAnyName(t *testing.T) {
	stat := "42 (a) 1 2 (b) S 1 42 42 0 -1 4194304 100 0 0 0 17 5 0 0 20 0 1 0 100 1000 10"
	if ticks, err := ticksOf(stat); ticks != 22 || err != nil {
		t.Error(ticks, err)
	}
	if _, err := ticksOf("42 (short) S 1"); err == nil {
		t.Error("what cannot be read was read")
	}
}

// A load that ends right after its measured time is charged for that time only.
func TestOnlyTheLastSecondsCount(t *testing.T) {
	began := time.Now()
	var samples []sample
	for i := range 101 {
		// Ten milliseconds in each of the first 50 steps, then one.
		cost := time.Duration(min(i, 50)*10+max(i-50, 0)) * time.Millisecond
		samples = append(samples, sample{began.Add(time.Duration(i) * look), cost})
	}
	if spent := spentInLast(samples, 50*look); spent != 50*time.Millisecond {
		t.Error(spent)
	}
	if spent := spentInLast(nil, time.Second); spent != 0 {
		t.Error(spent)
	}
}

// We can read about a process what we want to say about servers.
func TestAProcessCanBeLookedAt(t *testing.T) {
	pid := os.Getpid()
	if _, err := cpu([]int{pid}); err != nil {
		t.Error(err)
	}
	if rss, err := rssKiB(pid); rss < 100 || err != nil {
		t.Error(rss, err)
	}
	if _, err := cpu([]int{pid, -1}); err == nil {
		t.Error("a process that is not there has cost something")
	}
}

package main

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

var short = times{warmup: 50 * time.Millisecond, measure: 200 * time.Millisecond}

// What is answered before the measured time does not count.
func TestAClosedLoopCountsTheMeasuredTime(t *testing.T) {
	var all atomic.Int64
	seen, err := closedLoop(t.Context(), 4, short, nil, func(context.Context, int) error {
		time.Sleep(5 * time.Millisecond)
		all.Add(1)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	counted := seen.perSecond * short.measure.Seconds()
	if counted < 1 || counted >= float64(all.Load()) || seen.p50ms < 5 || seen.p99ms < seen.p50ms {
		t.Error(seen, all.Load())
	}
}

// A write that fails is no fast write.
func TestAFailedWriteEndsTheLoad(t *testing.T) {
	broken := errors.New("the disk is gone")
	_, err := closedLoop(t.Context(), 2, short, nil, func(_ context.Context, client int) error {
		if client == 1 {
			return broken
		}
		return nil
	})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestAQuantileIsOneOfTheTimes(t *testing.T) {
	took := []time.Duration{4 * time.Millisecond, time.Millisecond, 3 * time.Millisecond}
	if got := quantile(took, 0.5); got != 3 {
		t.Error(got)
	}
	if got := quantile(nil, 0.99); got != 0 {
		t.Error(got)
	}
}

package main

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// What ends before it is ready says why.
func TestAServerThatEndsIsNotWaitedFor(t *testing.T) {
	p, err := start(t.TempDir(), "short", nil, "/bin/sh", "-c", "echo the port is taken >&2; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	never := func(context.Context) error { return errors.New("not ready") }
	if err := (servers{p}).until(t.Context(), never); err == nil || !strings.Contains(err.Error(), "the port is taken") {
		t.Error(err)
	}
}

// Nothing that we started runs on.
func TestAServerIsStopped(t *testing.T) {
	p, err := start(t.TempDir(), "long", nil, "/bin/sleep", "600")
	if err != nil {
		t.Fatal(err)
	}
	p.stop()
	if _, err := cpu([]int{p.pid()}); err == nil {
		t.Error("it still runs")
	}
}

func TestFreePortsAreFree(t *testing.T) {
	first, err := freePorts(6)
	if err != nil || first < firstPort || first+6 > lastPort || !allFree(first, 6) {
		t.Error(first, err)
	}
}

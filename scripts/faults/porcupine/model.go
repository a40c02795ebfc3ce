package main

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"
)

// Input is what was asked.
type Input struct {
	// "append" adds Line, "change" adds none, "read" shows.
	Kind             string `json:"kind"`
	Line             string `json:"line"`
	MayChangeNothing bool   `json:"may_change_nothing"`
	// What stands directly before the line, if reads tell.
	follows []string
}

// Output is what was told.
type Output struct {
	// The last lines of the room; nil when none were shown.
	Lines   []string `json:"lines"`
	Version *uint64  `json:"version"`
	Unknown bool     `json:"unknown"`
}

// A room: what reads can still tell apart. It is never changed, only replaced.
type room struct {
	// The last lines, at most as many as are shown.
	lines []string
	// The newest version that anybody was told. The real one may be higher, since
	// nobody was told what became of some writes.
	version uint64
}

// next is the room after an operation, or false if it cannot have been answered so: a room
// is a list that is appended to; a read shows its last lines, oldest first.
func next(at room, in Input, out Output, shown int) (room, bool) {
	after, ok := versions(at, in, out)
	switch in.Kind {
	case "append":
		ok = ok && (in.follows == nil || slices.Equal(in.follows, newest(at.lines, 1)))
		after.lines = newest(append(slices.Clone(at.lines), in.Line), shown)
	case "read":
		ok = ok && (out.Lines == nil || slices.Equal(out.Lines, at.lines))
	}
	return after, ok
}

// newest are the last of these lines, at most so many.
func newest(lines []string, most int) []string {
	return lines[max(0, len(lines)-most):]
}

// versions never go back, and each write makes a new one.
func versions(at room, in Input, out Output) (room, bool) {
	if out.Version == nil {
		return at, true
	}
	was := at.version
	at.version = max(was, *out.Version)
	mayStay := in.Kind == "read" || in.MayChangeNothing
	return at, *out.Version > was || mayStay && *out.Version == was
}

// model is what porcupine holds histories to, room by room.
func model(shown int) porcupine.Model {
	seed := maphash.MakeSeed()
	return porcupine.Model{
		Partition: byRoom,
		Init:      func() any { return room{} },
		Step: func(state, input, output any) (bool, any) {
			after, ok := next(state.(room), input.(Input), output.(Output), shown)
			return ok, after
		},
		Equal: func(one, other any) bool {
			a, b := one.(room), other.(room)
			return a.version == b.version && slices.Equal(a.lines, b.lines)
		},
		Hash: func(state any) uint64 {
			at := state.(room)
			return maphash.String(seed, strings.Join(at.lines, "\n")) ^ at.version
		},
		DescribeOperation: describe,
		DescribeState: func(state any) string {
			at := state.(room)
			return fmt.Sprintf("version %d: %s", at.version, last(at.lines))
		},
		DescribeOperationMetadata: func(room any) string { return fmt.Sprintf("room %v", room) },
	}
}

// byRoom takes a history apart. The room is an operation's metadata.
func byRoom(history []porcupine.Operation) [][]porcupine.Operation {
	var names []string
	rooms := map[string][]porcupine.Operation{}
	for _, one := range history {
		name := one.Metadata.(string)
		if _, known := rooms[name]; !known {
			names = append(names, name)
		}
		rooms[name] = append(rooms[name], one)
	}
	var parts [][]porcupine.Operation
	for _, name := range names {
		parts = append(parts, rooms[name])
	}
	return parts
}

func describe(input, output any) string {
	in, out := input.(Input), output.(Output)
	text := in.Kind
	if in.Kind == "append" {
		text = fmt.Sprintf("append %q", in.Line)
	}
	if in.Kind == "read" && out.Lines != nil {
		text += " " + last(out.Lines)
	}
	switch {
	case out.Unknown:
		text += " → unknown"
	case out.Version != nil:
		text += fmt.Sprintf(" → version %d", *out.Version)
	}
	return text
}

// last shows the end of a list, which is what a picture has room for.
func last(lines []string) string {
	const shown = 5
	if len(lines) <= shown {
		return fmt.Sprintf("%q", lines)
	}
	return fmt.Sprintf("… %q (%d lines)", lines[len(lines)-shown:], len(lines))
}

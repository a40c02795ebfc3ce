package main

import "github.com/anishathalye/porcupine"

// clues are what reads tell of the appends whose lines they show. Each line is written once
// and stays where it is, so every order that explains the reads agrees with them. They only
// spare the search what it would try in vain.
type clues struct {
	// When the first read that shows a line returned: the append had happened.
	seen map[string]int64
	// What stands directly before a line; nothing, if it is the room's first.
	follows map[string][]string
}

func cluesOf(room []porcupine.Operation, shown int) clues {
	found := clues{map[string]int64{}, map[string][]string{}}
	for _, one := range room {
		lines := one.Output.(Output).Lines
		for at, line := range lines {
			if first, known := found.seen[line]; !known || one.Return < first {
				found.seen[line] = one.Return
			}
			if at > 0 || len(lines) < shown {
				found.follows[line] = newest(lines[:at], 1)
			}
		}
	}
	return found
}

// judged is what is searched for an order. What is unknown and was never seen is taken out:
// an order that explains the rest can have it at its end, where nobody looks.
func judged(room []porcupine.Operation, shown int) (kept, unseen []porcupine.Operation) {
	clues := cluesOf(room, shown)
	for _, one := range room {
		in, unknown := one.Input.(Input), one.Output.(Output).Unknown
		first, seen := clues.seen[in.Line]
		seen = seen && in.Kind == "append"
		if unknown && !seen {
			unseen = append(unseen, one)
			continue
		}
		if unknown {
			one.Return = max(one.Call, first)
		}
		if seen {
			in.follows = clues.follows[in.Line]
			one.Input = in
		}
		kept = append(kept, one)
	}
	return kept, unseen
}

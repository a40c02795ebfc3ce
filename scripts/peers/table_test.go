package main

import (
	"math"
	"strings"
	"testing"
)

// A row shows the middle, the least and the most; a ratio compares rounds.
func TestATableShowsMediansAndRatios(t *testing.T) {
	c := contest{
		title: "Writes", columns: []string{"ops/s"},
		contestants: []contestant{{name: "Ours", how: "so"}, {name: "Theirs", how: "or so"}},
		pairs:       []string{"Theirs"},
	}
	text := c.table(results{"Ours": {{1200}, {100}, {900}}, "Theirs": {{100}, {50}, {90}}})
	for _, line := range []string{
		"### Writes",
		"| | ops/s | configured |",
		"|---|---|---|",
		"| Ours | 900 (100 to 1,200) | so |",
		"| Theirs | 90.0 (50.0 to 100) | or so |",
		"| **Ours / Theirs** | 10.0x (2.00x to 12.0x) | ratio of the same round |",
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no %q in\n%s", line, text)
		}
	}
}

// One round has no spread, and what was not measured is no number.
func TestACellSaysOnlyWhatIsKnown(t *testing.T) {
	if got := cells([][]float64{{1.5, 1234567, math.NaN()}}, number); got != "1.50 | 1,234,567 | –" {
		t.Error(got)
	}
	if got := median([]float64{1, 2, 4, 8}); got != 3 {
		t.Error(got)
	}
}

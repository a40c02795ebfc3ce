package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// results are what contestants did: one row of figures for each round, in the order of columns.
type results map[string][][]float64

// table shows the median of each figure with the least and the most of all rounds.
func (c contest) table(seen results) string {
	var text strings.Builder
	fmt.Fprintf(&text, "### %s\n\n| | %s | configured |\n|---%s|---|\n",
		c.title, strings.Join(c.columns, " | "), strings.Repeat("|---", len(c.columns)))
	for _, one := range c.contestants {
		fmt.Fprintf(&text, "| %s | %s | %s |\n", one.name, cells(seen[one.name], number), one.how)
	}
	ours := c.contestants[0].name
	for _, pair := range c.pairs {
		ratio := ratios(seen[ours], seen[pair])
		fmt.Fprintf(&text, "| **%s / %s** | %s | ratio of the same round |\n", ours, pair, cells(ratio, multiple))
	}
	return text.String()
}

// cells are the columns of one row.
func cells(rounds [][]float64, show func(float64) string) string {
	var cells []string
	for column := range rounds[0] {
		var values []float64
		for _, round := range rounds {
			values = append(values, round[column])
		}
		slices.Sort(values)
		cell := show(median(values))
		if len(values) > 1 {
			cell += fmt.Sprintf(" (%s to %s)", show(values[0]), show(values[len(values)-1]))
		}
		cells = append(cells, cell)
	}
	return strings.Join(cells, " | ")
}

// ratios compares round by round: what else the machine did then slowed both.
func ratios(ours, theirs [][]float64) [][]float64 {
	var ratios [][]float64
	for round := range ours {
		var row []float64
		for column := range ours[round] {
			row = append(row, ours[round][column]/theirs[round][column])
		}
		ratios = append(ratios, row)
	}
	return ratios
}

// median is the middle of sorted values.
func median(sorted []float64) float64 {
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// number shows three digits, or all before the point, in groups.
func number(value float64) string {
	switch {
	case math.IsNaN(value) || math.IsInf(value, 0):
		return "–"
	case value >= 1000:
		return grouped(int(math.Round(value)))
	}
	return digits(value)
}

func grouped(whole int) string {
	if whole < 1000 {
		return fmt.Sprint(whole)
	}
	return fmt.Sprintf("%s,%03d", grouped(whole/1000), whole%1000)
}

// multiple shows a ratio.
func multiple(ratio float64) string {
	if math.IsNaN(ratio) || math.IsInf(ratio, 0) {
		return "–"
	}
	return digits(ratio) + "x"
}

func digits(value float64) string {
	switch {
	case value >= 100:
		return fmt.Sprintf("%.0f", value)
	case value >= 10:
		return fmt.Sprintf("%.1f", value)
	}
	return fmt.Sprintf("%.2f", value)
}

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// verdict runs the program as a person would.
func verdict(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out, trouble bytes.Buffer
	code := run(args, &out, &trouble)
	return code, out.String() + trouble.String()
}

// The two files are what the crate `lab` exports; its tests hold them to it.
func TestARightHistoryIsLinearizable(t *testing.T) {
	for _, model := range []string{"list", "register"} {
		code, said := verdict(t, "--model", model, "testdata/right.json")
		if code != 0 || said != "a leader is killed: 10 operations in 2 rooms: linearizable\n" {
			t.Errorf("%s: %d: %s", model, code, said)
		}
	}
}

func TestAStaleReadIsFoundAndItsRoomNamed(t *testing.T) {
	for _, model := range []string{"list", "register"} {
		code, said := verdict(t, "--model", model, "testdata/wrong.json")
		if code != 1 || !strings.HasPrefix(said, "room WXYZ: not linearizable (3 operations)\n") ||
			strings.Contains(said, "ABCD") {
			t.Errorf("%s: %d: %s", model, code, said)
		}
	}
}

// The lists alone show it, and the versions alone do.
func TestLinesAndVersionsAreJudgedEachByItself(t *testing.T) {
	for what, forget := range map[string]func(*Output){
		"lines":    func(out *Output) { out.Lines = nil },
		"versions": func(out *Output) { out.Version = nil },
	} {
		for file, expected := range map[string]int{"right": 0, "wrong": 1} {
			history, err := read("testdata/" + file + ".json")
			if err != nil {
				t.Fatal(err)
			}
			for at := range history.Operations {
				forget(&history.Operations[at].Output)
			}
			var out bytes.Buffer
			if code, _ := judge(model(20), history, time.Minute, &out); code != expected {
				t.Errorf("%s without %s: %d: %s", file, what, code, out.String())
			}
		}
	}
}

func TestThePictureShowsOperationsAndWhatHappenedBeside(t *testing.T) {
	for _, file := range []string{"right", "wrong"} {
		path := filepath.Join(t.TempDir(), "picture.html")
		verdict(t, "--html", path, "testdata/"+file+".json")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, expected := range []string{"slow disk", "term 2", "first"} {
			if !bytes.Contains(text, []byte(expected)) {
				t.Errorf("the picture of %s does not show %q", file, expected)
			}
		}
		// A bad room is shown alone.
		if bytes.Contains(text, []byte(`append \"one\"`)) != (file == "right") {
			t.Errorf("the picture of %s shows the wrong rooms", file)
		}
	}
}

func TestWrongUseIsNoVerdict(t *testing.T) {
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "history.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, args := range [][]string{
		{}, {"--model", "queue", "testdata/right.json"}, {"main.go"}, {"nowhere.json"},
		{file(`{"format":2,"lines_shown":20}`)}, {file(`{"format":1}`)}, {"--help"},
		{"--html", "nowhere/x.html", "testdata/right.json"},
	} {
		if code, said := verdict(t, args...); code != 2 || said == "" {
			t.Errorf("%v: %d: %s", args, code, said)
		}
	}
}

// An append or a read of one room, from one moment to another; to 0 is unknown.
func did(client int, from, to int64, kind string, lines ...string) Operation {
	one := Operation{Client: client, Room: "r", CallNs: from, Input: Input{Kind: kind}}
	if kind == "append" {
		one.Input.Line = lines[0]
	} else {
		one.Output.Lines = append([]string{}, lines...)
	}
	if one.Output.Unknown = to == 0; to != 0 {
		one.ReturnNs = &to
	}
	return one
}

func judgeAll(timeout time.Duration, operations ...Operation) int {
	code, _ := judge(model(20), History{LinesShown: 20, Operations: operations}, timeout, &bytes.Buffer{})
	return code
}

func TestWhatIsUnknownMayHappenAtAnyTimeAndOnce(t *testing.T) {
	unknown := did(1, 1, 0, "append", "a")
	for expected, reads := range map[int][][]string{
		0: {{}, {}, {"a"}},
		1: {{}, {"a"}, {}},
	} {
		all := []Operation{unknown}
		for at, lines := range reads {
			all = append(all, did(2, int64(10*at+10), int64(10*at+15), "read", lines...))
		}
		if code := judgeAll(time.Minute, all...); code != expected {
			t.Errorf("%v: %d", reads, code)
		}
	}
	if judgeAll(time.Minute, unknown, did(2, 5, 6, "read", "a", "a")) != 1 {
		t.Error("it happened twice")
	}
}

func TestAReadShowsTheLastTwentyLines(t *testing.T) {
	var all []Operation
	var lines []string
	for at := range 25 {
		line := fmt.Sprint("line ", at)
		lines = append(lines, line)
		all = append(all, did(1, int64(10*at+1), int64(10*at+5), "append", line))
	}
	if judgeAll(time.Minute, append(all, did(2, 900, 901, "read", lines[5:]...))...) != 0 {
		t.Error("the last twenty are right")
	}
	for _, wrong := range [][]string{lines, lines[6:], lines[4:24]} {
		if judgeAll(time.Minute, append(all, did(2, 900, 901, "read", wrong...))...) != 1 {
			t.Errorf("%d lines from %s were accepted", len(wrong), wrong[0])
		}
	}
}

func TestAnEndlessSearchGivesNoVerdict(t *testing.T) {
	var all []Operation
	var lines []string
	for at := range 16 {
		lines = append(lines, fmt.Sprint("nobody's ", at))
		all = append(all, did(at, 1, 100, "append", fmt.Sprint(at)))
	}
	all = append(all, did(17, 200, 201, "read", lines...))
	if code := judgeAll(20*time.Millisecond, all...); code != 2 {
		t.Errorf("%d", code)
	}
}

// Small histories at random, half of them with a read that shows something else: what is
// spared the search changes no verdict.
func TestTheVerdictIsThatOfASearchWithoutClues(t *testing.T) {
	const shown = 3
	dice := rand.New(rand.NewPCG(1, 2))
	verdicts := map[porcupine.CheckResult]int{}
	for range 3000 {
		history := History{LinesShown: shown, Operations: atRandom(dice, shown)}
		all := operations(history)
		kept, _ := judged(all, shown)
		plain := porcupine.CheckOperationsTimeout(model(shown), all, 0)
		if spared := porcupine.CheckOperationsTimeout(model(shown), kept, 0); spared != plain {
			t.Fatalf("%s with clues, %s without: %+v", spared, plain, history.Operations)
		}
		verdicts[plain]++
	}
	if verdicts[porcupine.Ok] < 500 || verdicts[porcupine.Illegal] < 500 {
		t.Errorf("the histories are too much alike: %v", verdicts)
	}
}

func atRandom(dice *rand.Rand, shown int) []Operation {
	var all []Operation
	var list []string
	for at := range 9 {
		// It happens at 10*at; it may begin long before, and end long after.
		from, to := int64(10*at-dice.IntN(25)), int64(10*at+1+dice.IntN(25))
		if dice.IntN(4) == 0 {
			to = 0
		}
		if dice.IntN(2) == 0 {
			all = append(all, did(at, from, to, "append", fmt.Sprint(at)))
			if to != 0 || dice.IntN(2) == 0 {
				list = append(list, fmt.Sprint(at))
			}
			continue
		}
		one := did(at, from, to, "read", newest(list, shown)...)
		if to == 0 {
			one.Output.Lines = nil
		}
		all = append(all, one)
	}
	for at := range all {
		if lines := all[at].Output.Lines; len(lines) > 0 && dice.IntN(5) == 0 {
			lines[dice.IntN(len(lines))] = fmt.Sprint(dice.IntN(9))
			all[at].Output.Lines = lines[dice.IntN(len(lines)):]
		}
	}
	return all
}

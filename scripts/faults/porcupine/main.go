// Judges a history of rooms with porcupine, without a line of the code that judges it
// elsewhere: is there an order of what clients asked, room by room, that explains all they
// were told, and in which nothing stands before what had ended when it began?
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/anishathalye/porcupine"
)

// Exit codes.
const (
	linearizable = 0
	notSo        = 1
	noVerdict    = 2
)

// The number of the format that is read.
const format = 1

// History is a file's content.
type History struct {
	Format      int          `json:"format"`
	Title       string       `json:"title"`
	LinesShown  int          `json:"lines_shown"`
	Operations  []Operation  `json:"operations"`
	Annotations []Annotation `json:"annotations"`
}

// Operation is a write, or a linearizable read.
type Operation struct {
	Client int    `json:"client"`
	Room   string `json:"room"`
	CallNs int64  `json:"call_ns"`
	// Nil when nobody was told what came of it.
	ReturnNs *int64 `json:"return_ns"`
	Input    Input  `json:"input"`
	Output   Output `json:"output"`
}

// Annotation is what a picture shows beside the clients.
type Annotation struct {
	Tag         string `json:"tag"`
	StartNs     int64  `json:"start_ns"`
	EndNs       int64  `json:"end_ns"`
	Description string `json:"description"`
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, out, trouble io.Writer) int {
	flags := flag.NewFlagSet("porcupine", flag.ContinueOnError)
	flags.SetOutput(trouble)
	flags.Usage = func() {
		fmt.Fprintln(trouble, "usage: porcupine [--model list|register] [--html FILE] [--timeout 60s] HISTORY")
		flags.PrintDefaults()
	}
	name := flags.String("model", "list", "`list` (the last lines of a room) or register (its newest line)")
	html := flags.String("html", "", "write porcupine's picture to this `file`")
	timeout := flags.Duration("timeout", time.Minute, "the longest search for one room")
	if flags.Parse(args) != nil {
		return noVerdict
	}
	if flags.NArg() != 1 {
		flags.Usage()
		return noVerdict
	}
	history, err := read(flags.Arg(0))
	if err != nil {
		fmt.Fprintln(trouble, err)
		return noVerdict
	}
	switch *name {
	case "list":
	case "register":
		newestOnly(&history)
	default:
		flags.Usage()
		return noVerdict
	}
	room := model(history.LinesShown)
	code, shown := judge(room, history, *timeout, out)
	if *html != "" {
		if err := draw(room, history, shown, *timeout, *html); err != nil {
			fmt.Fprintln(trouble, err)
			return noVerdict
		}
	}
	return code
}

func read(path string) (History, error) {
	var history History
	text, err := os.ReadFile(path)
	if err != nil {
		return history, err
	}
	if err := json.Unmarshal(text, &history); err != nil {
		return history, fmt.Errorf("cannot read %s: %w", path, err)
	}
	if history.Format != format {
		return history, fmt.Errorf("%s has format %d, and this reads %d", path, history.Format, format)
	}
	if history.LinesShown < 1 {
		return history, fmt.Errorf("%s does not say how many lines a read shows", path)
	}
	return history, nil
}

// newestOnly makes a room a register: a list that shows its newest line is one.
func newestOnly(history *History) {
	history.LinesShown = 1
	for at := range history.Operations {
		lines := &history.Operations[at].Output.Lines
		*lines = newest(*lines, 1)
	}
}

// judge prints a line for each room that is not linearizable, and one for all. It gives the
// operations that a picture should show: those of the bad rooms, or all if none is bad.
func judge(model porcupine.Model, history History, timeout time.Duration, out io.Writer) (int, []porcupine.Operation) {
	code, all := linearizable, operations(history)
	var bad []porcupine.Operation
	rooms := byRoom(all)
	for _, room := range rooms {
		name := room[0].Metadata
		kept, _ := judged(room, history.LinesShown)
		switch porcupine.CheckOperationsTimeout(model, kept, timeout) {
		case porcupine.Illegal:
			fmt.Fprintf(out, "room %s: not linearizable (%d operations)\n", name, len(room))
			code, bad = notSo, append(bad, room...)
		case porcupine.Unknown:
			fmt.Fprintf(out, "room %s: no verdict within %v (%d operations)\n", name, timeout, len(room))
			bad = append(bad, room...)
			if code == linearizable {
				code = noVerdict
			}
		}
	}
	words := map[int]string{linearizable: "linearizable", notSo: "NOT linearizable", noVerdict: "no verdict"}
	fmt.Fprintf(out, "%s: %d operations in %d rooms: %s\n", history.Title, len(all), len(rooms), words[code])
	if bad == nil {
		return code, all
	}
	return code, bad
}

// operations as porcupine has them. What nobody was told of returns after all else.
func operations(history History) []porcupine.Operation {
	var end int64
	for _, one := range history.Operations {
		end = max(end, one.CallNs)
		if one.ReturnNs != nil {
			end = max(end, *one.ReturnNs)
		}
	}
	var all []porcupine.Operation
	for _, one := range history.Operations {
		returned := end + 1
		if one.ReturnNs != nil {
			returned = *one.ReturnNs
		}
		all = append(all, porcupine.Operation{
			ClientId: one.Client, Metadata: one.Room, Input: one.Input, Output: one.Output,
			Call: one.CallNs, Return: returned,
		})
	}
	return all
}

// draw writes porcupine's own picture.
func draw(model porcupine.Model, history History, shown []porcupine.Operation, timeout time.Duration, path string) error {
	var searched []porcupine.Operation
	var beside []porcupine.Annotation
	for _, one := range history.Annotations {
		beside = append(beside, porcupine.Annotation{
			Tag: one.Tag, Start: one.StartNs, End: one.EndNs, Description: one.Description,
		})
	}
	for _, room := range byRoom(shown) {
		kept, unseen := judged(room, history.LinesShown)
		searched = append(searched, kept...)
		for _, one := range unseen {
			beside = append(beside, porcupine.Annotation{
				Tag: "unknown, never seen", Start: one.Call, Description: describe(one.Input, one.Output),
				Details: fmt.Sprintf("client %d, room %s", one.ClientId, one.Metadata),
			})
		}
	}
	// A client goes on after what is unknown, which therefore has a lane of its own.
	lane := 0
	for _, one := range searched {
		lane = max(lane, one.ClientId)
	}
	for at := range searched {
		if searched[at].Output.(Output).Unknown {
			lane++
			searched[at].ClientId = lane
		}
	}
	_, info := porcupine.CheckOperationsVerbose(model, searched, timeout)
	info.AddAnnotations(beside)
	return porcupine.VisualizePath(model, info, path)
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/lipgloss/table"
	"github.com/spf13/cobra"
)

// finding ends a command that could tell, and found something that is not as it should be: exit status 1. Any other
// error means that it could not tell: exit status 2.
type finding struct{ error }

// errDifference is a finding of which the output has said everything.
var errDifference = finding{errors.New("")}

// exitWith ends a command with the exit status of what it ran.
type exitWith struct {
	error
	status int
}

func refuse(format string, args ...any) error { return finding{fmt.Errorf(format, args...)} }

// report is where a command prints to: its answer to standard output, how far it is to standard error.
type report struct {
	out, err io.Writer
	renderer *lipgloss.Renderer
}

// newReport is a command's. Colours are only for a terminal, and for nobody who has set NO_COLOR.
func newReport(command *cobra.Command) *report {
	return &report{command.OutOrStdout(), command.ErrOrStderr(), lipgloss.NewRenderer(command.OutOrStdout())}
}

// progressAfter is how long an answer may take before a line says what it waits for.
const progressAfter = time.Second

// progress says what a command is doing, if that has not ended within a second.
func (r *report) progress(format string, args ...any) (done func()) {
	timer := time.AfterFunc(progressAfter, func() { fmt.Fprintf(r.err, format+" …\n", args...) })
	return func() { timer.Stop() }
}

func (r *report) json(value any) error {
	encoder := json.NewEncoder(r.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

func (r *report) printf(format string, args ...any) { fmt.Fprintf(r.out, format, args...) }

func (r *report) good(text string) string { return r.coloured(text, "2") }
func (r *report) bad(text string) string  { return r.coloured(text, "1") }
func (r *report) dim(text string) string  { return r.coloured(text, "8") }

func (r *report) coloured(text, ansi string) string {
	return r.renderer.NewStyle().Foreground(lipgloss.Color(ansi)).Render(text)
}

// result colours the result of an update.
func (r *report) result(text string) string {
	switch text {
	case "succeeded":
		return r.good(text)
	case "failed":
		return r.bad(text)
	}
	return text
}

// table prints rows under headers, in columns that are as wide as they have to be.
func (r *report) table(headers []string, rows [][]string) {
	plain := lipgloss.NewStyle()
	printed := table.New().Headers(headers...).Rows(rows...).
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderHeader(false).BorderColumn(false).
		StyleFunc(func(int, int) lipgloss.Style { return plain.PaddingRight(2) }).Render()
	for line := range strings.Lines(printed) {
		r.printf("%s\n", strings.TrimRight(line, " \n"))
	}
}

// counted is a number of things, in words: 1 commit, 2 commits.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

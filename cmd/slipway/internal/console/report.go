// Package console is what a command prints to, and the forms that its answers have there.
package console

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/lipgloss/table"
	"github.com/spf13/cobra"
)

// Report is where a command prints to: its answer to standard output, how far it is to standard error.
type Report struct {
	Out, Err io.Writer
	Renderer *lipgloss.Renderer
}

// NewReport is a command's. Colours are only for a terminal, and for nobody who has set NO_COLOR.
func NewReport(command *cobra.Command) *Report {
	return &Report{command.OutOrStdout(), command.ErrOrStderr(), lipgloss.NewRenderer(command.OutOrStdout())}
}

// progressAfter is how long an answer may take before a line says what it waits for.
const progressAfter = time.Second

// Progress says what a command is doing, if that has not ended within a second.
func (r *Report) Progress(format string, args ...any) (done func()) {
	timer := time.AfterFunc(progressAfter, func() { fmt.Fprintf(r.Err, format+" …\n", args...) })
	return func() { timer.Stop() }
}

// JSON prints a value as indented JSON.
func (r *Report) JSON(value any) error {
	encoder := json.NewEncoder(r.Out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// Printf prints a part of the answer.
func (r *Report) Printf(format string, args ...any) { fmt.Fprintf(r.Out, format, args...) }

// Good is a text in green, where the output is a terminal.
func (r *Report) Good(text string) string { return r.coloured(text, "2") }

// Bad is a text in red.
func (r *Report) Bad(text string) string { return r.coloured(text, "1") }

// Dim is a text in grey.
func (r *Report) Dim(text string) string { return r.coloured(text, "8") }

func (r *Report) coloured(text, ansi string) string {
	return r.Renderer.NewStyle().Foreground(lipgloss.Color(ansi)).Render(text)
}

// Result colours the result of an update.
func (r *Report) Result(text string) string {
	switch text {
	case "succeeded":
		return r.Good(text)
	case "failed":
		return r.Bad(text)
	}
	return text
}

// Table prints rows under headers, in columns that are as wide as they have to be.
func (r *Report) Table(headers []string, rows [][]string) {
	plain := lipgloss.NewStyle()
	printed := table.New().Headers(headers...).Rows(rows...).
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderHeader(false).BorderColumn(false).
		StyleFunc(func(int, int) lipgloss.Style { return plain.PaddingRight(2) }).Render()
	for line := range strings.Lines(printed) {
		r.Printf("%s\n", strings.TrimRight(line, " \n"))
	}
}

// WithoutEmptyColumn leaves a column out in which no row has anything.
func WithoutEmptyColumn(headers []string, rows [][]string, column int) ([]string, [][]string) {
	if slices.ContainsFunc(rows, func(row []string) bool { return row[column] != "" }) {
		return headers, rows
	}
	for i := range rows {
		rows[i] = slices.Delete(rows[i], column, column+1)
	}
	return slices.Delete(headers, column, column+1), rows
}

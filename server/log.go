package server

import (
	"io"
	"log/slog"
)

// newLog writes text lines; level is debug, info, warn or error.
func newLog(w io.Writer, level string, quiet bool) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	if quiet {
		l = max(l, slog.LevelWarn)
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l}))
}

package server

import (
	"io"
	"log/slog"
)

// newLog writes text lines; level is debug, info, warn or error, and can be changed.
func newLog(w io.Writer, level string, quiet bool) (*slog.Logger, *slog.LevelVar) {
	var l slog.LevelVar
	l.Set(levelOf(level, quiet))
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: &l})), &l
}

// levelOf reads a level; quiet logs warnings and errors only.
func levelOf(level string, quiet bool) slog.Level {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	if quiet {
		l = max(l, slog.LevelWarn)
	}
	return l
}

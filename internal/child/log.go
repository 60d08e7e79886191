package child

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
)

// NewLog returns a log for use inside a child: JSON lines on stderr, which the
// parent's supervisor turns back into records of its own log, with their level.
func NewLog() *slog.Logger {
	return slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func defaultLog() *slog.Logger { return slog.Default() }

// logLine writes one line of a child's output. What NewLog wrote keeps its level
// and attributes; anything else (a panic, a library's own words) is a warning.
func logLine(log *slog.Logger, name string, pid int, line string) {
	var record map[string]any
	if line[0] == '{' && json.Unmarshal([]byte(line), &record) == nil {
		message, _ := record[slog.MessageKey].(string)
		text, _ := record[slog.LevelKey].(string)
		var level slog.Level
		if message != "" && level.UnmarshalText([]byte(text)) == nil {
			attrs := []slog.Attr{slog.String("child", name), slog.Int("pid", pid)}
			for k, v := range record {
				if k != slog.MessageKey && k != slog.LevelKey && k != slog.TimeKey {
					attrs = append(attrs, slog.Any(k, v))
				}
			}
			log.LogAttrs(context.Background(), level, message, attrs...)
			return
		}
	}
	log.Warn(line, "child", name, "pid", pid)
}

package console

import (
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A file begins before its rows are read, and one that cannot be finished is a download that
// failed: half a table does not look like a whole one.
func TestAFileThatBreaksOffFails(t *testing.T) {
	c := &Console{o: Options{Now: time.Now, Location: time.UTC, Log: slog.New(slog.DiscardHandler)}}
	for name, broken := range map[string]bool{"whole": false, "broken off": true} {
		t.Run(name, func(t *testing.T) {
			begun, batch := make(chan bool), 0
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				c.batches(w, r, "rows", []string{"n"}, func() ([][]string, bool, error) {
					if batch++; batch == 2 {
						<-begun
						if broken {
							return nil, false, errors.New("the disk went away")
						}
					}
					return [][]string{{"=1"}, {"2"}}, batch == 3, nil
				})
			}))
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.Start()
			defer s.Close()
			answer, err := s.Client().Get(s.URL) // comes back while the second batch is waited for
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			close(begun)
			body, err := io.ReadAll(answer.Body)
			switch got := string(body); {
			case broken && (err == nil || strings.Count(got, "\n") != 3):
				t.Errorf("%q, and %v", got, err)
			case !broken && (err != nil || got != "\ufeffn\n'=1\n2\n'=1\n2\n'=1\n2\n"):
				t.Errorf("%q, and %v", got, err)
			}
		})
	}
}

// What is written without rows of its own is the same: its size is nobody's to know before.
func TestAFileThatIsWrittenBreaksOff(t *testing.T) {
	c := &Console{o: Options{Now: time.Now, Location: time.UTC, Log: slog.New(slog.DiscardHandler)}}
	for _, broken := range []bool{false, true} {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c.sendWhole(w, r, "text/csv", "books.csv", func(w io.Writer) error {
				for range 100 {
					if _, err := io.WriteString(w, strings.Repeat("x", 4096)); err != nil {
						return err
					}
				}
				if broken {
					return errors.New("the disk went away")
				}
				return nil
			})
		}))
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.Start()
		answer, err := s.Client().Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if (err != nil) != broken || !broken && len(body) != 100*4096 || answer.Header.Get("Content-Disposition") == "" {
			t.Errorf("broken off %t: %d bytes, %v", broken, len(body), err)
		}
		s.Close()
	}
}

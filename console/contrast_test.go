package console

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// WCAG 2.2, 1.4.3 and 1.4.11: text keeps 4.5:1 on its ground, borders of controls
// and the focus ring 3:1, in light and dark.
func TestContrast(t *testing.T) {
	css, err := staticFiles.ReadFile("static/console.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark, _ := strings.Cut(string(css), "prefers-color-scheme: dark")
	for scheme, part := range map[string]string{"light": light, "dark": dark} {
		colour := map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z-]+):\s*#([0-9a-f]{6})`).FindAllStringSubmatch(part, -1) {
			colour[m[1]] = luminance(m[2])
		}
		for _, pair := range []struct {
			fore  string
			backs []string
			least float64
		}{
			{"ink", []string{"ground", "surface", "sunk", "warn-ground"}, 4.5},
			{"muted", []string{"ground", "surface", "sunk"}, 4.5},
			{"accent", []string{"ground", "surface"}, 4.5},
			{"accent-ink", []string{"accent"}, 4.5},
			{"ok", []string{"ok-ground", "surface", "ground"}, 4.5},
			{"no", []string{"no-ground", "surface", "ground"}, 4.5},
			{"warn", []string{"warn-ground", "surface"}, 4.5},
			{"edge", []string{"surface", "ground"}, 3},
			{"focus", []string{"surface", "ground", "warn-ground"}, 3},
		} {
			for _, back := range pair.backs {
				a, b := colour[pair.fore], colour[back]
				if got := (max(a, b) + .05) / (min(a, b) + .05); got < pair.least {
					t.Errorf("%s: --%s on --%s is %.2f:1, less than %.1f:1", scheme, pair.fore, back, got, pair.least)
				}
			}
		}
	}
}

// luminance is the relative luminance of sRGB as WCAG 2.2 defines it.
func luminance(hex string) float64 {
	n, _ := strconv.ParseUint(hex, 16, 32)
	channel := func(v uint64) float64 {
		c := float64(v) / 255
		if c <= .04045 {
			return c / 12.92
		}
		return math.Pow((c+.055)/1.055, 2.4)
	}
	return .2126*channel(n>>16) + .7152*channel(n>>8&255) + .0722*channel(n&255)
}

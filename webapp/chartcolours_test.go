package main

import (
	"fmt"
	"io/fs"
	"math"
	"regexp"
	"strings"
	"testing"
)

// chartColours are the colours of groups in a scheme, and what they stand on.
func chartColours(t *testing.T) map[string][2]map[string]string {
	t.Helper()
	read := func(file string) []string {
		style, err := fs.ReadFile(staticFiles, "static/"+file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.SplitN(string(style), "prefers-color-scheme: dark", 2)
	}
	colours := func(part, name string) map[string]string {
		block, _, _ := strings.Cut(part, "}")
		found := map[string]string{}
		for _, m := range regexp.MustCompile(`--(`+name+`): (#[0-9a-f]+);`).FindAllStringSubmatch(block, -1) {
			found[m[1]] = m[2]
		}
		return found
	}
	grounds, series := read("style.css"), read("chart.css")
	schemes := map[string][2]map[string]string{}
	for i, scheme := range []string{"light", "dark"} {
		schemes[scheme] = [2]map[string]string{colours(series[i], `series-\d`), colours(grounds[i], "surface|ground")}
		if n := len(schemes[scheme][0]); n != maxGroups || len(schemes[scheme][1]) != 2 {
			t.Fatalf("%s: %d colours for %d groups", scheme, n, maxGroups)
		}
	}
	return schemes
}

// TestGroupColoursHaveContrast holds the colours of groups against what they
// stand on (WCAG 2.2, "Non-text Contrast").
func TestGroupColoursHaveContrast(t *testing.T) {
	for scheme, colours := range chartColours(t) {
		for name, colour := range colours[0] {
			for ground, other := range colours[1] {
				if c := contrast(t, colour, other); c < 3 {
					t.Errorf("%s: %s on %s has contrast %.2f", scheme, name, ground, c)
				}
			}
		}
	}
}

// visions are what different eyes make of red, green and blue light: all of it,
// and without one kind of cone (Machado, Oliveira and Fernandes, 2009).
var visions = map[string][3][3]float64{
	"all colours":    {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"no red cones":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"no green cones": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"no blue cones":  {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
}

// TestGroupColoursCanBeToldApart measures how far the colours are from each other
// in CIELAB, where 2 is just noticeable side by side.
func TestGroupColoursCanBeToldApart(t *testing.T) {
	for scheme, colours := range chartColours(t) {
		for eyes, vision := range visions {
			for a, first := range colours[0] {
				for b, second := range colours[0] {
					if d := distance(lab(t, first, vision), lab(t, second, vision)); a < b && d < 20 {
						t.Errorf("%s, %s: %s and %s are only %.1f apart", scheme, eyes, a, b, d)
					}
				}
			}
		}
	}
}

func distance(a, b [3]float64) float64 {
	return math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
}

// lab is a colour in CIELAB, as seen.
func lab(t *testing.T, colour string, vision [3][3]float64) [3]float64 {
	t.Helper()
	var bytes [3]int
	if _, err := fmt.Sscanf(colour, "#%02x%02x%02x", &bytes[0], &bytes[1], &bytes[2]); err != nil {
		t.Fatalf("%q is no colour: %v", colour, err)
	}
	var light, seen [3]float64
	for i, b := range bytes {
		if v := float64(b) / 255; v <= 0.04045 {
			light[i] = v / 12.92
		} else {
			light[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	for i := range seen {
		for j := range light {
			seen[i] += vision[i][j] * light[j]
		}
		seen[i] = min(max(seen[i], 0), 1)
	}
	f := func(v float64) float64 {
		if v > 0.008856 {
			return math.Cbrt(v)
		}
		return 7.787*v + 16.0/116
	}
	x := f((0.4124*seen[0] + 0.3576*seen[1] + 0.1805*seen[2]) / 0.95047)
	y := f(0.2126*seen[0] + 0.7152*seen[1] + 0.0722*seen[2])
	z := f((0.0193*seen[0] + 0.1192*seen[1] + 0.9505*seen[2]) / 1.08883)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

package lambda

import (
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	for name, test := range map[string]struct {
		values []bytes
		want   bytes
	}{
		"of one value":                           {[]bytes{7}, 7},
		"is the middle, not the mean":            {[]bytes{1000, 1, 3}, 3},
		"of an even number is one that occurred": {[]bytes{4, 1, 2, 1000}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			before := append([]bytes(nil), test.values...)
			if got := median(test.values); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
			for i := range before {
				if test.values[i] != before[i] {
					t.Fatalf("the values were put in another order: %v", test.values)
				}
			}
		})
	}
}

func TestTable(t *testing.T) {
	const ms = duration(time.Millisecond)
	got := table("ours", "theirs", []row{
		newRow("size", []bytes{4 << 20}, []bytes{512 << 10}),
		newRow("time", []duration{20 * ms, 10 * ms, 90 * ms}, []duration{400 * ms, 410 * ms, 300 * ms}),
	})
	const want = `|      | ours                   | theirs                    | ratio |
| ---  | ---                    | ---                       | ---   |
| size | 4.0 MiB                | 512 KiB                   | 0.12  |
| time | 20 ms (10 ms to 90 ms) | 400 ms (300 ms to 410 ms) | 20    |
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

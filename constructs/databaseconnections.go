package constructs

import (
	"math"
	"strconv"
	"strings"
)

// gibPerXLarge is the memory of the size xlarge of RDS's families, in GiB, by what they start with; the longest start that
// fits counts ("Hardware specifications for DB instance classes", Amazon RDS User Guide).
var gibPerXLarge = map[string]float64{"c": 8, "m": 16, "r": 32, "t": 16, "x2g": 64, "x2idn": 64, "x2iedn": 128, "z1d": 32}

// sizes are the parts of an xlarge that smaller sizes are.
var sizes = map[string]float64{"micro": 1. / 16, "small": 1. / 8, "medium": 1. / 4, "large": 1. / 2, "xlarge": 1}

// likelyConnections is how many connections are many for an RDS class such as db.t4g.micro: half of max_connections as RDS
// computes it from the class's memory, of which the server has some less ("Maximum number of database connections", Amazon
// RDS User Guide: DBInstanceClassMemory/12582880, and 16,000 at most). 0 means that the class is not known.
func likelyConnections(class string) int {
	family, size, _ := strings.Cut(strings.TrimPrefix(class, "db."), ".")
	parts, known := sizes[size]
	if number, ok := strings.CutSuffix(size, "xlarge"); ok && number != "" {
		n, err := strconv.Atoi(number)
		parts, known = float64(n), err == nil
	}
	start, gib := "", 0.
	for family0, memory := range gibPerXLarge {
		if strings.HasPrefix(family, family0) && len(family0) > len(start) {
			start, gib = family0, memory
		}
	}
	if !known || start == "" {
		return 0
	}
	const bytesPerConnection = 12582880
	return int(math.Min(gib*parts*(1<<30)/bytesPerConnection, 16000) / 2)
}

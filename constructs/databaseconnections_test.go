package constructs

import "testing"

func TestManyConnectionsAreHalfOfWhatTheClassHasMemoryFor(t *testing.T) {
	for class, want := range map[string]int{
		"db.t4g.micro": 42, "db.t3.small": 85, "db.t4g.large": 341, "db.m7g.large": 341, "db.r8gd.xlarge": 1365, "db.c6gd.medium": 85,
		"db.x2g.large": 1365, "db.x2iedn.xlarge": 5461, "db.m6i.2xlarge": 1365, "db.z1d.large": 682, "db.r7g.16xlarge": 8000,
		"db.q9.large": 0, "db.t4g.nano": 0, "db.m7g.xxlarge": 0, "db.x3.large": 0,
	} {
		if got := likelyConnections(class); got != want {
			t.Errorf("%s: %d, want %d", class, got, want)
		}
	}
}

package pinned

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// MaxOrigins is how many sites may show charts in a frame at most.
const MaxOrigins = 20

// scheme, host and port, as browsers write them
var origin = regexp.MustCompile(`^https://([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(:[1-9][0-9]{0,4})?$`)

// CheckOrigin says what is wrong with the origin of a site that may show charts:
// a sentence without its subject and without its end.
func CheckOrigin(text string) error {
	switch {
	case !strings.HasPrefix(text, "https://"):
		return errors.New("does not start with https://")
	case !origin.MatchString(text) || len(text) > len("https://:65535")+253:
		return errors.New("is not the scheme, host and port of a site alone, in lower case")
	}
	if _, port, ok := strings.Cut(strings.TrimPrefix(text, "https://"), ":"); ok {
		if n, err := strconv.Atoi(port); err != nil || n > 65535 {
			return errors.New("has a port that does not exist")
		}
	}
	return nil
}

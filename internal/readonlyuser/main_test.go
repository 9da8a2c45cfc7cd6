package readonlyuser

import (
	"testing"

	"drawbridge/internal/mysqltest"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

package bigtable

import (
	"testing"

	"drawbridge/internal/mysqltest"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

func TestLoad(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	user, password := server.RootLogin()
	db := server.Open(t, user, password, schema)
	db.SetMaxOpenConns(1)
	if err := Load(t.Context(), db, schema, 20_000); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"SELECT CONCAT_WS(' ', COUNT(*), MIN(id), MAX(id), COUNT(DISTINCT station_id), COUNT(label), COUNT(DISTINCT label), COUNT(level), COUNT(note)) FROM readings": "20000 1 20000 1000 18000 4500 17143 16000",
		"SELECT CONCAT_WS(' ', id, station_id, taken_at, kind, label, amount, ROUND(level, 6), checked, note) FROM readings WHERE id = 12346":                         "12346 975 2022-01-21 19:54:24.598 sun label 4234 12073.14 218.943359 0 Note 891037 of station 975",
		"SELECT COUNT(*) FROM stations": "1000",
		"SELECT COUNT(*) FROM readings LEFT JOIN stations ON stations.id = station_id WHERE stations.id IS NULL":                                                      "0",
		"SELECT GROUP_CONCAT(DISTINCT INDEX_NAME ORDER BY INDEX_NAME) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'readings'": "amount,label,PRIMARY,station_id,taken_at",
		"SELECT @@foreign_key_checks": "1",
	} {
		var got string
		if err := db.QueryRowContext(t.Context(), query).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %q (%v), want %q", query, got, err, want)
		}
	}
	if _, err := db.ExecContext(t.Context(), "INSERT INTO readings (id, station_id, taken_at, kind, amount, checked) VALUES (20001, 0, NOW(), 'sun', 1, 1)"); err == nil {
		t.Error("a reading refers to a station that is not there")
	}
	for _, rows := range []int{0, MaxRows + 1} {
		if err := Load(t.Context(), db, schema, rows); err == nil {
			t.Errorf("%d rows are no error", rows)
		}
	}
}

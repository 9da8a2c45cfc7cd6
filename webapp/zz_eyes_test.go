package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/mysqltest"
	"drawbridge/internal/sampledata"
)

func TestEyes(t *testing.T) {
	if os.Getenv("EYES") == "" {
		t.Skip()
	}
	server := mysqltest.Shared(t)
	schema := "monster_shop"
	root := server.Open(t, "root", rootPassword(server), "")
	root.SetMaxOpenConns(1)
	mustExec(t, root, "CREATE DATABASE monster_teams", "CREATE DATABASE "+schema, "USE "+schema, "SET sql_mode='', NAMES utf8mb4, cte_max_recursion_depth=100000",
		"CREATE TABLE monsters (id INT UNSIGNED PRIMARY KEY AUTO_INCREMENT COMMENT 'number', name VARCHAR(80), motto TEXT, born DATE, weight DECIMAL(9,2), kind ENUM('land','sea','air'), scary FLOAT, photo BLOB, traits JSON, seen_at TIMESTAMP NULL) COMMENT 'Everyone on a team'",
		"INSERT INTO monsters (name, motto, born, weight, kind, scary, photo, traits, seen_at) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<3214) SELECT ELT(1+i%6,'Grimble','Ōkami','Δράκων','غول','דרקון','Василиск'), IF(i%4=0,REPEAT('We walk at night and sleep at noon. ',10),IF(i%7=0,NULL,ELT(1+i%3,'هناك وحش تحت السرير','夜に歩く','Never late'))), '1900-01-01'+INTERVAL i DAY, i*3.25, ELT(1+i%3,'land','sea','air'), i/7, IF(i%5=0,UNHEX(SHA2(i,512)),NULL), JSON_OBJECT('teeth',i%40,'wings',i%3=0), '2024-01-01'+INTERVAL i HOUR FROM n",
		"CREATE TABLE teams (id INT PRIMARY KEY, name VARCHAR(40)) COMMENT 'Teams, by league'", "INSERT INTO teams VALUES (1,'a'),(2,'b')",
		"CREATE TABLE empty_one (id INT PRIMARY KEY, note TEXT)",
		"CREATE TABLE big (id INT PRIMARY KEY, x INT)", "INSERT INTO big WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<30000) SELECT i, i*i FROM n", "ANALYZE TABLE big",
		"CREATE VIEW heavy AS SELECT id, name, weight FROM monsters WHERE weight > 100",
	)
	if _, err := sampledata.Load(t.Context(), root, "monster_teams"); err != nil {
		t.Log(err)
	}
	schema = "monster_teams"
	db, _ := mysqldb.Open(settingsOf(server, schema, newReader(t, server, schema), readerPassword))
	limitPool(db)
	srv := newServer(&app{db: db, log: slog.New(slog.NewJSONHandler(os.Stdout, nil)), dashboardURL: "https://bi.example.com/"})
	l, err := net.Listen("tcp", "127.0.0.1:5055")
	if err != nil {
		t.Fatal(err)
	}
	go srv.Serve(l)
	deadline := time.After(10 * time.Minute)
	for {
		select {
		case <-deadline:
			return
		case <-time.After(300 * time.Millisecond):
			if _, err := os.Stat("/tmp/eyes.stop"); err == nil {
				srv.Shutdown(context.Background())
				return
			}
		}
	}
}

var _ = strings.Contains

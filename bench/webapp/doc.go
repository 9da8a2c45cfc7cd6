// Package webapp compares the web app with what else could show the same rows: a plain Flask app with SQLAlchemy under
// gunicorn, which reads the same MySQL server, and Datasette, which reads the same rows from SQLite. The limit is the Go
// driver alone, which runs the web app's own query in a loop. `make bench-webapp` runs it.
//
// All run on this machine, in turns and in one run, asked by the same wrk with the same number of connections.
package webapp

// Package mysqlserver runs a real MySQL server that is set up like a database on RDS: a certificate signed by an
// authority of its own, settings by the names that RDS's parameter groups have, and a master user who may do what RDS's
// master user may and no more.
//
//	server, err := mysqlserver.Start(ctx, mysqlserver.Options{})
//	defer server.Close()
//	user, password := server.Master()
//	db, err := server.Open(user, password, "")
//
// It runs the server that scripts/mysql.sh fetched, or a suitable mysqld of this machine. On Linux the server dies with
// this process, however that ends; elsewhere it outlives a process that is killed.
package mysqlserver

// Package embeddedmysql runs a MySQL-compatible server inside this process: enough for a look at the web app where no
// MySQL is installed. It speaks TLS only, knows users and grants, keeps everything in memory, and listens on loopback.
//
// It is no reference for what MySQL does, and must not be offered to others: it lets a read-only user write files
// (SELECT … INTO OUTFILE).
package embeddedmysql

import (
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"net"

	sqle "github.com/dolthub/go-mysql-server"
	"github.com/dolthub/go-mysql-server/memory"
	"github.com/dolthub/go-mysql-server/server"
	gmssql "github.com/dolthub/go-mysql-server/sql"
	"github.com/dolthub/go-mysql-server/sql/mysql_db"
	"github.com/sirupsen/logrus"

	"drawbridge/internal/loopbacktls"
)

// Server is a running server.
type Server struct {
	Host string // a loopback address, which the server's certificate names
	Port int

	// CA is the PEM certificate authority that signed the server's certificate.
	CA []byte

	password string
	server   *server.Server
	stopped  chan error
}

// Start runs a server on a free port. It is ready for connections when Start returns.
func Start() (*Server, error) {
	identity, err := loopbacktls.New()
	if err != nil {
		return nil, fmt.Errorf("make a TLS certificate for the embedded MySQL server: %w", err)
	}
	certificate, err := tls.X509KeyPair(identity.Cert, identity.Key)
	if err != nil {
		return nil, fmt.Errorf("make a TLS certificate for the embedded MySQL server: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a free port for the embedded MySQL server: %w", err)
	}
	// It would log each refused connection, among the progress of whoever runs it.
	logrus.SetOutput(io.Discard)

	if err := gmssql.SystemVariables.AssignValues(map[string]any{"version": version}); err != nil {
		listener.Close()
		return nil, fmt.Errorf("start the embedded MySQL server: %w", err)
	}
	provider := memory.NewDBProvider()
	engine := sqle.NewDefault(provider)
	accounts := engine.Analyzer.Catalog.MySQLDb
	// Without a persister, it panics when a user is created.
	accounts.SetPersister(&mysql_db.NoopPersister{})
	s := &Server{
		Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, CA: identity.CA,
		password: rand.Text(), stopped: make(chan error, 1),
	}
	editor := accounts.Editor()
	accounts.AddSuperUser(editor, rootName, "%", s.password)
	editor.Close()

	s.server, err = server.NewServer(server.Config{
		Protocol: "tcp", Address: listener.Addr().String(), Listener: listener,
		Version:                version,
		TLSConfig:              &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
		RequireSecureTransport: true,
	}, engine, gmssql.NewContext, memory.NewSessionBuilder(provider), nil)
	if err != nil {
		listener.Close()
		return nil, fmt.Errorf("start the embedded MySQL server: %w", err)
	}
	go func() { s.stopped <- s.server.Start() }()
	return s, nil
}

const (
	rootName = "root"

	// version is what VERSION() says, so that nobody takes the server for MySQL.
	version = "8.4.0-embedded"
)

// RootLogin is the login of the user who may do everything. The password is generated at every start.
func (s *Server) RootLogin() (user, password string) { return rootName, s.password }

// Close ends the server and its connections, and forgets the data.
func (s *Server) Close() error {
	err := s.server.Close()
	<-s.stopped
	return err
}

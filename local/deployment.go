package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/mysqlserver"
	"drawbridge/rehearsal"
	"drawbridge/rehearsal/resources"
	"drawbridge/rehearsal/template"
)

// tools is where scripts/mysql.sh puts a MySQL server.
const tools = ".tools"

// mysqlHere is the version of the MySQL server with which this machine can play the Database stack; "" where it cannot: it
// takes Linux, for which the Lambda function's program is built.
func mysqlHere() string {
	if runtime.GOOS != "linux" {
		return ""
	}
	version, err := mysqlserver.Available(tools)
	if err != nil {
		return ""
	}
	return version
}

// openDeployment prepares the rehearsal's account, on loopback, for the synthesized stacks. Deploying them is left to
// [database.prepare].
func openDeployment(temporary string) (*database, error) {
	synthesized, err := template.ReadAssembly(assembly)
	if err != nil {
		return nil, err
	}
	stack, err := synthesized.Stack("Database")
	if err != nil {
		return nil, err
	}
	log, err := os.Create("build/local-function.log")
	if err != nil {
		return nil, err
	}
	d := &database{undo: []func() error{log.Close}}
	servers := &resources.MySQLServers{Tools: tools, CAFile: filepath.Join(temporary, "ca.pem")}
	player, err := rehearsal.New(rehearsal.Options{
		AccountID: stack.AccountID, Region: stack.Region,
		Database: servers, FunctionEnvironment: map[string]string{"DRAWBRIDGE_DB_CA_FILE": servers.CAFile}, FunctionLog: io.Writer(log),
	})
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	d.undo = append(d.undo, servers.Close, player.Close)
	servers.Deployed = func(kind, id string) map[string]any {
		for _, r := range player.Resources(stack.Name) {
			if r.Type == kind && r.PhysicalID == id {
				return r.Properties
			}
		}
		return nil
	}
	d.prepareWith = func(ctx context.Context) (string, error) {
		if err := d.deploy(ctx, player, synthesized, stack.Name); err != nil {
			return "", err
		}
		server := servers.Only()
		if server == nil {
			return "", errors.New("the Database stack has made no database")
		}
		d.settings.Host, d.settings.Port, d.settings.CAFile = server.Host, server.Port, servers.CAFile
		return fmt.Sprintf("by the Lambda function's own program, as on AWS: %s", d.address()), nil
	}
	return d, nil
}

// deploy deploys the stacks Network and Database, the latter by this name, and takes the web app's login from the secret
// that they have made.
func (d *database) deploy(ctx context.Context, player *rehearsal.Player, synthesized *template.Assembly, name string) error {
	if err := player.DeployAll(ctx, synthesized, "Network", "Database"); err != nil {
		return err
	}
	text, err := player.Secrets.Value(player.Outputs(name)["ReadOnlySecretArnWebapp"], "AWSCURRENT")
	if err != nil {
		return err
	}
	var login struct{ Username, Password, DBName string }
	if err := json.Unmarshal([]byte(text), &login); err != nil {
		return errors.New("the secret of the web app's user is no login")
	}
	d.settings = mysqldb.Settings{Username: login.Username, Password: login.Password, Database: login.DBName}
	return nil
}

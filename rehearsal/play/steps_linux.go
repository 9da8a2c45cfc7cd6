package play

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"drawbridge/host/settings"
	"drawbridge/internal/mysqldb"
	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/machine"
	"drawbridge/rehearsal/template"
	"drawbridge/rehearsal/vendor"
)

// step is one step of the play.
type step struct {
	name   string // for --until
	what   string
	run    func(*play, context.Context) (said string, err error)
	needed bool // what comes later makes no sense without it
}

// Steps are the names of the steps, in order.
func Steps(o Options) (names []string) {
	o.Private, o.Public = without(o.Private, o.Without), without(o.Public, o.Without)
	for _, s := range (&play{o: o}).steps() {
		names = append(names, s.name)
	}
	return names
}

// upTo are the steps up to one by its name; "" is the last.
func (p *play) upTo(name string) ([]step, error) {
	steps := p.steps()
	if name == "" {
		return steps, nil
	}
	at := slices.IndexFunc(steps, func(s step) bool { return s.name == name })
	if at < 0 {
		return nil, fmt.Errorf("there is no step %q: the steps are %s", name, strings.Join(Steps(p.o), ", "))
	}
	return steps[:at+1], nil
}

// steps are the page's own, in its order.
func (p *play) steps() []step {
	first, phase := p.o.Private, "private"
	if p.o.Public != nil {
		first, phase = p.o.Public, "public"
	}
	up := func(a *template.Assembly, ids ...string) func(*play, context.Context) (string, error) {
		return func(p *play, ctx context.Context) (string, error) {
			before := len(p.Operations())
			if err := p.deploy(ctx, a, ids...); err != nil {
				return "", err
			}
			return fmt.Sprintf("%d resources", len(p.Operations())-before), nil
		}
	}
	var steps []step
	add := func(name, what string, run func(*play, context.Context) (string, error), needed bool) {
		steps = append(steps, step{name, what, run, needed})
	}
	both := p.o.Public != nil
	web, people, tunnel := p.has("WebApp"), p.has("Bastion"), p.has("Tunnel")

	add("network", "The network", up(first, "Network"), true)
	add("database", "The database, "+phase+", with its read-only users by the Lambda function", up(first, "Database"), true)
	add("users", "The read-only users read, and can do nothing else", (*play).users, false)
	if !both {
		add("private", "The database is private", (*play).isPrivate, false)
	}
	if both {
		add("developer", "A developer reaches the public database, over TLS only, and reads and writes", (*play).developer, false)
	}
	if web {
		add("webapp", "The web app, from the bundle that Elastic Beanstalk gets, behind nginx", up(first, "WebApp"), true)
		add("page", "A visitor sees the data", (*play).page, false)
	}
	if people {
		add("bastion", "The jump server sets itself up", up(first, "Bastion"), true)
		add("people", "The jump server lets the right people through, and nobody else", (*play).admitsPeople, false)
	}
	if tunnel {
		add("tunnel", "The tunnel host sets itself up", up(first, "Tunnel"), true)
		add("vendor", "The vendor's dashboard reads through the tunnel and cannot write; a false vendor gets nothing", (*play).vendor, false)
	}
	add("reach-"+phase, "Who reaches what, "+phase+": the reach table and real packets", (*play).reach, false)
	if both {
		add("flip-refused", "A flip is refused while a read-only user is missing, and the database is left alone", (*play).flipRefused, false)
		add("flip", "The flip to private, while visitors and the vendor go on reading", (*play).flip, true)
		add("after-flip", "Everybody is served as before, and developers are out", (*play).afterFlip, false)
		add("reach-private", "Who reaches what, private: the reach table and real packets", (*play).reach, false)
	}
	add("rotation", "Passwords rotate, and nobody notices", (*play).rotation, false)
	add("secrets", "No secret stands in an output, an environment, user data or a log", (*play).noSecrets, false)
	add("database-restart", "The database restarts: everybody is back by themselves", (*play).databaseRestart, false)
	if tunnel {
		add("tunnel-killed", "The tunnel's processes are killed: the vendor is back by itself", (*play).tunnelKilled, false)
		add("vendor-away", "The vendor is gone for a minute: the tunnel is back by itself", (*play).vendorAway, false)
	}
	if both {
		add("public-again", "Back to public", up(p.o.Public), true)
		add("developer-again", "A developer reaches the public database again", (*play).developer, false)
		add("private-again", "And private again", up(p.o.Private), true)
		add("after-private-again", "Everybody is served as before, and developers are out", (*play).afterFlip, false)
	}
	add("down", "All stacks are deleted", (*play).down, true)
	return steps
}

// inside is a place in the VPC from which the database is reached: the Lambda function's.
func (p *play) inside() (*machine.Namespace, error) {
	for _, s := range p.reached.Sources {
		if s.Inside && s.Stack == "Database" {
			found, err := p.namespacesOf(s)
			if err != nil {
				return nil, err
			}
			return found[0], nil
		}
	}
	return nil, errors.New("no Lambda function of the Database stack lies in the VPC")
}

// readers are the outputs that name the secrets of read-only users.
func (p *play) readers() (names []string) {
	for _, name := range slices.Sorted(maps.Keys(p.outputs("Database"))) {
		if strings.HasPrefix(name, "ReadOnlySecretArn") {
			names = append(names, name)
		}
	}
	return names
}

func (p *play) users(ctx context.Context) (string, error) {
	from, err := p.inside()
	if err != nil {
		return "", err
	}
	own, err := p.fill(ctx)
	if err != nil {
		return "", err
	}
	var names []string
	for _, output := range p.readers() {
		if err := p.readOnly(ctx, from, output); err != nil {
			return "", err
		}
		l, err := p.login(output)
		if err != nil {
			return "", err
		}
		names = append(names, l.Username)
	}
	if len(names) == 0 {
		return "", errors.New("the Database stack has no output that names a read-only user's secret")
	}
	// The read-only users' accounts ask for TLS themselves; the master's does not.
	master, err := p.login("MasterSecretArn")
	if err != nil {
		return "", err
	}
	if err := p.refusesClear(ctx, from, p.databaseAddress(), master); err != nil {
		return "", err
	}
	return strings.Join(names, ", ") + own, nil
}

// fill makes a table in a database that has none, so that there is something to see.
func (p *play) fill(ctx context.Context) (said string, err error) {
	schema := p.outputs("Database")["DatabaseName"]
	tables, err := p.tables(ctx, schema)
	if err != nil || len(tables) > 0 {
		return "", err
	}
	return "; the table is the rehearsal's own, as the config asks for no sample data", p.root(func(db *sql.DB) error {
		for _, statement := range []string{"CREATE TABLE %s.rehearsal_notes (id INT PRIMARY KEY, note TEXT)", "INSERT INTO %s.rehearsal_notes VALUES (1, 'one'), (2, 'two')"} {
			if _, err := db.ExecContext(ctx, fmt.Sprintf(statement, mysqldb.QuoteIdentifier(schema))); err != nil {
				return err
			}
		}
		return nil
	})
}

func (p *play) developer(ctx context.Context) (string, error) {
	from, err := p.partyThatReaches("database:" + fmt.Sprint(p.databaseAddress().Port()))
	if err != nil {
		return "", err
	}
	if from == nil {
		return "", errors.New("nobody of the internet reaches the public database")
	}
	at := p.vpc.Interface(p.databaseID())
	if at == nil || !p.vpc.PublicOf(at).IsValid() {
		return "", errors.New("the public database has no public address")
	}
	public := p.vpc.PublicOf(at)
	blocks, err := p.vpc.LetIn(at)
	if err != nil {
		return "", err
	}
	for _, block := range blocks {
		if block.Bits() < broadest {
			return "", fmt.Errorf("a rule of the database lets in %s, which names nobody", block)
		}
	}
	to := netip.AddrPortFrom(public, p.databaseAddress().Port())
	master, err := p.login("MasterSecretArn")
	if err != nil {
		return "", err
	}
	if err := p.ask(ctx, from, to, master, true, "CREATE DATABASE rehearsal_developer", "CREATE TABLE rehearsal_developer.t (id INT)",
		"INSERT INTO rehearsal_developer.t VALUES (1)", "SELECT * FROM rehearsal_developer.t", "DROP DATABASE rehearsal_developer"); err != nil {
		return "", fmt.Errorf("the developer at %s: %w", from.IP(), err)
	}
	if err := p.refusesClear(ctx, from, to, master); err != nil {
		return "", err
	}
	for _, output := range p.readers() {
		l, err := p.login(output)
		if err != nil {
			return "", err
		}
		if err := refused(p.ask(ctx, from, to, l, true, "SELECT 1"), "the log-in of "+l.Username+" from outside of the VPC", deniedToUser...); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("from %s to %s; read-only users are refused from there", from.IP(), to), nil
}

func (p *play) reach(ctx context.Context) (string, error) {
	var errs []error
	errs = append(errs, promises(p.reached, p.now == p.o.Public))
	cells, err := p.compare(ctx, p.reached)
	if err := errors.Join(append(errs, err)...); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d of %d cells agree\n\n%s", cells, cells, strings.TrimRight(p.reached.Text(), "\n")), nil
}

// isPrivate looks at everything that keeps the database private, each of which would be enough.
func (p *play) isPrivate(context.Context) (string, error) {
	at := p.vpc.Interface(p.databaseID())
	if at == nil {
		return "", errors.New("there is no database")
	}
	var errs []error
	if public := p.vpc.PublicOf(at); public.IsValid() {
		errs = append(errs, fmt.Errorf("the private database has a public address, %s", public))
	}
	ways, err := p.vpc.WaysOut(at)
	if err != nil || len(ways) > 0 {
		errs = append(errs, errors.Join(err, fmt.Errorf("a subnet of the private database has a route out of the VPC, to %v", ways)))
	}
	blocks, err := p.vpc.LetIn(at)
	if err != nil || len(blocks) > 0 {
		errs = append(errs, errors.Join(err, fmt.Errorf("a rule of the private database's security groups lets addresses in: %v", blocks)))
	}
	return "no public address, no route out of its subnets, no rule that names addresses", errors.Join(errs...)
}

// flipRefused takes each read-only user away under a flip, and gives it back.
func (p *play) flipRefused(ctx context.Context) (said string, err error) {
	if len(p.readers()) == 0 {
		return "", errors.New("no output names a read-only user's secret")
	}
	for _, output := range p.readers() {
		if said, err = p.flipWithout(ctx, output); err != nil {
			return "", err
		}
	}
	return said, nil
}

func (p *play) flipWithout(ctx context.Context, output string) (string, error) {
	l, err := p.login(output)
	if err != nil {
		return "", err
	}
	rename := func(from, to string) error {
		return p.root(func(db *sql.DB) error {
			var host string
			if err := db.QueryRowContext(ctx, "SELECT Host FROM mysql.user WHERE User = ?", from).Scan(&host); err != nil {
				return err
			}
			at := "@" + mysqldb.QuoteIdentifier(host)
			_, err := db.ExecContext(ctx, "RENAME USER "+mysqldb.QuoteIdentifier(from)+at+" TO "+mysqldb.QuoteIdentifier(to)+at)
			return err
		})
	}
	const away = "rehearsal_away"
	if err := rename(l.Username, away); err != nil {
		return "", err
	}
	before := len(p.Operations())
	flip := p.DeployAll(ctx, p.o.Private, "Database")
	if err := rename(away, l.Username); err != nil {
		return "", err
	}
	var failure *cloudformation.Failure
	switch {
	case flip == nil:
		return "", fmt.Errorf("the flip went through without the user %s", l.Username)
	case !errors.As(flip, &failure) || failure.Status != cloudformation.UpdateRollbackComplete || !strings.Contains(failure.Reason, l.Username):
		return "", fmt.Errorf("the flip failed, but not for the missing user %s: %w", l.Username, flip)
	}
	for _, o := range p.Operations()[before:] {
		if o.Type == "AWS::RDS::DBInstance" {
			return "", fmt.Errorf("the database was touched: %s", o)
		}
	}
	return failure.Reason, nil
}

// flip deploys the private phase while others read.
func (p *play) flip(ctx context.Context) (string, error) {
	before := len(p.Operations())
	var said []string
	err := p.meanwhile(ctx, func() error { return p.deploy(ctx, p.o.Private) }, &said)
	return strings.Join(append([]string{fmt.Sprintf("%d resources", len(p.Operations())-before)}, said...), "; "), err
}

// meanwhile runs f while every reader reads over and over, from before f to after it. It says how often each did, and fails
// if one of them was refused once.
func (p *play) meanwhile(ctx context.Context, f func() error, said *[]string) error {
	readers := map[string]func(context.Context) error{}
	if p.has("WebApp") {
		readers["the web app"] = func(ctx context.Context) error {
			status, _, err := p.get(ctx, "/readyz")
			if err == nil && status != http.StatusOK {
				err = fmt.Errorf("/readyz says %d", status)
			}
			return err
		}
	}
	for _, t := range p.tunnels {
		if p.vendorFor(t) == nil {
			continue
		}
		db, _, err := p.dashboard(t)
		if err != nil {
			return err
		}
		defer db.Close() //nolint:errcheck // its connections are closed
		readers["the tunnel "+t.Name] = db.PingContext
	}
	var all errgroup.Group
	ended := make(chan struct{})
	results := make([]string, len(readers))
	names := slices.Sorted(maps.Keys(readers))
	for i, name := range names {
		all.Go(func() error {
			for n := 1; ; n++ {
				if err := readers[name](ctx); err != nil {
					return fmt.Errorf("%s, meanwhile: %w", name, err)
				}
				select {
				case <-ended:
					if n >= 10 {
						results[i] = fmt.Sprintf("%s read %d times", name, n)
						return nil
					}
				default:
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	err := f()
	close(ended)
	err = errors.Join(err, all.Wait())
	*said = results
	return err
}

func (p *play) afterFlip(ctx context.Context) (string, error) {
	var errs []error
	if p.has("WebApp") {
		_, err := p.page(ctx)
		errs = append(errs, err)
	}
	if p.has("Bastion") {
		_, err := p.admitsPeople(ctx)
		errs = append(errs, err)
	}
	for _, t := range p.tunnels {
		if p.vendorFor(t) == nil {
			continue
		}
		took, err := p.recovery(ctx, t)
		if err != nil {
			errs = append(errs, fmt.Errorf("the tunnel %s: %w", t.Name, err))
		} else if took > time.Second {
			errs = append(errs, fmt.Errorf("the tunnel %s was down for %.1f s", t.Name, took.Seconds()))
		}
	}
	_, errPrivate := p.isPrivate(ctx)
	_, errUsers := p.users(ctx)
	return "", errors.Join(append(errs, errPrivate, errUsers)...)
}

// rotation rotates each password that the templates have a schedule for.
func (p *play) rotation(ctx context.Context) (string, error) {
	name, err := p.stackName("Database")
	if err != nil {
		return "", err
	}
	var rotated []string
	for _, r := range p.Resources(name) {
		if r.Type != "AWS::SecretsManager::RotationSchedule" {
			continue
		}
		arn, _ := r.Properties["SecretId"].(string)
		before, err := p.Secrets.Value(arn, "AWSCURRENT")
		if err != nil {
			return "", err
		}
		if err := p.Account.Rotate(ctx, arn); err != nil {
			return "", err
		}
		after, err := p.Secrets.Value(arn, "AWSCURRENT")
		if err != nil {
			return "", err
		}
		if after == before {
			return "", fmt.Errorf("the secret %s is the same after its rotation", arn)
		}
		rotated = append(rotated, arn[strings.LastIndex(arn, ":")+1:])
	}
	if len(rotated) == 0 {
		return "no template has a schedule for one", nil
	}
	_, err = p.users(ctx)
	if err == nil && p.has("WebApp") {
		_, err = p.page(ctx)
	}
	return strings.Join(rotated, ", "), err
}

func (p *play) databaseRestart(ctx context.Context) (string, error) {
	server := p.database.Only()
	if server == nil {
		return "", errors.New("there is no database, or more than one")
	}
	if err := server.Restart(ctx); err != nil {
		return "", err
	}
	if _, err := p.users(ctx); err != nil {
		return "", err
	}
	if !p.has("WebApp") {
		return p.everyTunnel(ctx, "")
	}
	start := time.Now()
	if err := eventually(ctx, time.Minute, func(ctx context.Context) error { _, err := p.page(ctx); return err }); err != nil {
		return "", fmt.Errorf("the web app: %w", err)
	}
	said := fmt.Sprintf("the web app after %.1f s", time.Since(start).Seconds())
	return p.everyTunnel(ctx, said)
}

// everyTunnel waits until every vendor reads again.
func (p *play) everyTunnel(ctx context.Context, said string) (string, error) {
	for _, t := range p.tunnels {
		if p.vendorFor(t) == nil {
			continue
		}
		took, err := p.recovery(ctx, t)
		if err != nil {
			return said, fmt.Errorf("the tunnel %s: %w", t.Name, err)
		}
		said += fmt.Sprintf("; %s's vendor after %.1f s", t.Name, took.Seconds())
	}
	return strings.TrimPrefix(said, "; "), nil
}

func (p *play) tunnelKilled(ctx context.Context) (string, error) {
	for _, host := range p.fleet.Instances("Tunnel") {
		if _, err := host.Run(ctx, nil, "bash", "-c", "pgrep -x autossh >/dev/null && { pkill -KILL -x autossh; pkill -KILL -x ssh; true; }"); err != nil {
			return "", err
		}
	}
	return p.everyTunnel(ctx, "")
}

func (p *play) vendorAway(ctx context.Context) (string, error) {
	for _, v := range p.vendors {
		if err := v.Namespace.SetLink(false); err != nil {
			return "", err
		}
	}
	select {
	case <-time.After(time.Minute):
	case <-ctx.Done():
	}
	for _, v := range p.vendors {
		if err := v.Namespace.SetLink(true); err != nil {
			return "", err
		}
	}
	return p.everyTunnel(ctx, "")
}

// down deletes all stacks, as far as their protection allows.
func (p *play) down(ctx context.Context) (string, error) {
	err := p.DestroyAll(ctx, p.now)
	if err == nil {
		return "", nil
	}
	if stack, _ := p.now.Stack("Database"); stack != nil && protected(stack.Template) && strings.Contains(err.Error(), "deletion protection") {
		return "all but the database, which is protected from deletion, and what it lies in", nil
	}
	return "", err
}

func protected(t *template.Template) bool {
	for _, r := range t.Resources {
		if r.Type == "AWS::RDS::DBInstance" && r.Properties["DeletionProtection"] == true {
			return true
		}
	}
	return false
}

// recovery waits until a vendor reads through a tunnel.
func (p *play) recovery(ctx context.Context, t settings.Tunnel) (time.Duration, error) {
	db, _, err := p.dashboard(t)
	if err != nil {
		return 0, err
	}
	defer db.Close() //nolint:errcheck // its connections are closed
	took, err := vendor.Recovery(ctx, 90*time.Second, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		var one int
		return db.QueryRowContext(ctx, "SELECT 1").Scan(&one)
	})
	if err != nil {
		return took, fmt.Errorf("%w; %s", err, p.tunnelSays(ctx, t))
	}
	return took, nil
}

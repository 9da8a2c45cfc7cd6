package main

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"sync"

	"drawbridge/internal/mysqldb"
)

//go:embed templates
var templateFiles embed.FS

var (
	overviewTemplate  = page("overview.html")
	tableTemplate     = page("table.html")
	rowTemplate       = page("row.html")
	problemTemplate   = page("problem.html")
	chartTemplate     = page("chart.html", "figure.html")
	dashboardTemplate = page("dashboard.html", "figure.html")
	embedTemplate     = whole("embed.html", "figure.html")
)

// page is the template of one page inside the layout. Other files hold parts of
// it.
func page(file string, parts ...string) *template.Template {
	return whole("layout.html", append([]string{file}, parts...)...)
}

// whole is the template of a page that the first file begins and ends.
func whole(file string, parts ...string) *template.Template {
	functions := template.FuncMap{
		"grouped":  grouped,
		"tableURL": tablePath,
		"asset":    assetURL,
	}
	paths := []string{"templates/" + file}
	for _, part := range parts {
		paths = append(paths, "templates/"+part)
	}
	return template.Must(template.New(file).Funcs(functions).ParseFS(templateFiles, paths...))
}

// view is what the layout needs; Page is what the page's own template needs.
type view struct {
	Title    string
	Database string
	// Dashboard says that there is one.
	Dashboard bool
	Page      any
}

// bodies are buffers for pages, used again.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxKeptBody is how large a buffer may be that is used again.
const maxKeptBody = 1 << 20

// show writes a whole page, or, if the template fails, none of it.
func (a *app) show(w http.ResponseWriter, status int, t *template.Template, v view) {
	v.Dashboard = a.hasDashboard()
	body := bodies.Get().(*bytes.Buffer)
	defer func() {
		if body.Cap() <= maxKeptBody {
			body.Reset()
			bodies.Put(body)
		}
	}()
	if err := t.Execute(body, v); err != nil {
		panic(fmt.Errorf("template: %w", err))
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // The visitor may be gone; nobody is left to tell.
}

// problem is a page that says why there is no other.
type problem struct {
	Status   int
	Title    string
	Sentence string
	// Tables are offered when the visitor asked for one that does not exist.
	// MoreTables says that there are others.
	Tables     []table
	MoreTables bool
	// Back leads to where the visitor may go on.
	Back, BackText string
	RequestID      string

	database string
	cause    string
}

// retryAfter is the number of seconds after which to ask again when the
// database is away.
const retryAfter = "10"

// fail answers with p, and writes its cause to the log.
func (a *app) fail(w http.ResponseWriter, r *http.Request, p problem) {
	request := requestOf(r.Context())
	if request.status != 0 {
		return // Part of another answer is out already.
	}
	p.RequestID = request.id
	request.problem = p.cause
	if p.Back == "" {
		p.Back, p.BackText = "/", "All tables"
	}
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	a.show(w, p.Status, problemTemplate, view{Title: p.Title, Database: p.database, Page: p})
}

// failDatabase answers for an error of the database. Visitors learn what kind
// it is; the log gets the whole sentence, which names hosts and users.
func (a *app) failDatabase(w http.ResponseWriter, r *http.Request, err error) {
	e := mysqldb.Explain(err)
	p := problem{cause: e.Kind.String() + ": " + e.Error()}
	switch e.Kind {
	case mysqldb.Forbidden:
		p.Status, p.Title = http.StatusForbidden, "Not allowed"
		p.Sentence = "The database does not let this app read that. An administrator can grant SELECT on it to the app's user."
	case mysqldb.TimedOut:
		p.Status, p.Title = http.StatusServiceUnavailable, "That took too long"
		p.Sentence = fmt.Sprintf("The database did not answer in time. MySQL ends its work for a page after %s. Try again, filter the rows, or ask for a page nearer to the start.", inSeconds(statementTimeout))
	case mysqldb.Other:
		p.Status, p.Title = http.StatusBadGateway, "The database cannot show that"
		p.Sentence = "The database answered with an error. A view fails like this when something that it refers to is gone."
	default:
		p.Status, p.Title = http.StatusServiceUnavailable, "The database is away"
		p.Sentence = awaySentence(e.Kind) + " Try again in a few seconds."
	}
	a.fail(w, r, p)
}

// awaySentence says why the database cannot be read at all, without naming
// hosts or users.
func awaySentence(kind mysqldb.Kind) string {
	switch kind {
	case mysqldb.Full:
		return "The database has no connection left for this app."
	case mysqldb.Unverified:
		return "The database could not prove who it is, so nothing was sent to it."
	case mysqldb.AccessDenied:
		return "The database refused the app's user name or password."
	case mysqldb.UnknownDatabase:
		return "The server has no database of the name that the app was given."
	case mysqldb.SecretUnreadable:
		return "The app could not read the secret with its password."
	case mysqldb.TimedOut:
		return "The database did not answer in time."
	}
	return "The database cannot be reached."
}

// nothingHere answers for addresses and methods that the app does not have.
func (a *app) nothingHere(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		a.fail(w, r, problem{Status: http.StatusMethodNotAllowed, Title: "Only reading", Sentence: "This app only shows data: it answers GET and HEAD requests."})
		return
	}
	a.fail(w, r, problem{Status: http.StatusNotFound, Title: "No such page", Sentence: "There is no page at this address."})
}

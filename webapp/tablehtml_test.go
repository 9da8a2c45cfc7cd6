package main

import (
	"html/template"
	"strings"
	"testing"
)

// cellTemplate is the template of a cell that rowsHTML stands for.
var cellTemplate = template.Must(template.New("rows").Parse(`{{range .}}<tr>` +
	`<td{{if .Column.Number}} class="number"{{else if .Column.Code}} class="code{{if .Cell.Wide}} wide{{end}}"{{else if .Cell.Wide}} class="wide"{{end}}{{if .Column.Text}} dir="auto"{{end}}>` +
	`{{with .Cell}}{{if .Null}}<span class="null">NULL</span>{{else}}` +
	`{{if .Short}}<details><summary>{{.Short}}</summary><div class="full">{{.Text}}</div></details>` +
	`{{else if .URL}}<a href="{{.URL}}" title="in {{.Reference}}">{{.Text}}</a>` +
	`{{else if and .RowURL .Text}}<a href="{{.RowURL}}" title="this row">{{.Text}}</a>` +
	`{{else}}{{.Text}}{{end}}` +
	`{{with .Note}}<span class="note">{{.}}</span>{{end}}` +
	`{{if and .RowURL (or .URL .Short (not .Text))}} <a class="open" href="{{.RowURL}}">row</a>{{end}}{{end}}{{end}}</td></tr>` + "\n" + `{{end}}`))

func compareWithTemplate(t *testing.T, c column, v cell) {
	t.Helper()
	var want strings.Builder
	if err := cellTemplate.Execute(&want, []struct {
		Column column
		Cell   cell
	}{{c, v}}); err != nil {
		t.Fatal(err)
	}
	// In attributes and texts, html/template escapes the plus sign for the sake of old
	// browsers that were told no character set (UTF-7).
	template := strings.ReplaceAll(want.String(), "&#43;", "+")
	if got := string(rowsHTML([]column{c}, []row{{Cells: []cell{v}}})); got != template {
		t.Errorf("%+v makes\n%s, and a template\n%s", v, got, template)
	}
}

func TestRowsAreWhatATemplateWouldMake(t *testing.T) {
	texts := []string{"", "plain", `<script>alert("1 & 'two' + 3")</script>`, "a\x00b"}
	for _, dataType := range []string{"int", "varchar", "char", "blob", "bit", "point", "datetime"} {
		for _, text := range texts {
			for _, short := range []string{"", `<b>"`} {
				for _, note := range []string{"", `"><i>`} {
					for _, url := range []string{"", tablePath(`a"<b>&'c/../d?`), filterURL("t", []string{`"x"`}, []exact{{Text: "<&>"}})} {
						for _, rowURL := range []string{"", rowURL(`t"`, []exact{{Text: `"<1>`}, {Text: "+ä ,"}})} {
							for _, wide := range []bool{false, true} {
								compareWithTemplate(t, column{DataType: dataType}, cell{Text: text, Short: short, Note: note, URL: url, Reference: `"t<`, RowURL: rowURL, Wide: wide})
							}
						}
					}
				}
			}
		}
		compareWithTemplate(t, column{DataType: dataType}, cell{Null: true})
	}
}

var headTemplate = template.Must(template.New("heads").Parse(`{{range .}}<th scope="col"{{if .Number}} class="number"{{end}}{{with .Comment}} title="{{.}}"{{end}}{{with .Sorted}} aria-sort="{{.}}"{{end}}>` +
	`{{if .URL}}<a href="{{.URL}}" rel="nofollow"><bdi>{{.Name}}</bdi>{{if eq .Sorted "ascending"}}<span aria-hidden="true"> ▲</span>{{else if eq .Sorted "descending"}}<span aria-hidden="true"> ▼</span>{{end}}</a>` +
	`{{else}}<bdi title="Rows cannot be sorted by this type">{{.Name}}</bdi>{{end}}` +
	`{{if .Key}} <span class="key" title="Part of the key that tells rows apart">key</span>{{end}}<span class="type"{{if ne .Type .ShortType}} title="{{.Type}}"{{end}}>{{.ShortType}}{{with .Zone}}, {{.}}{{end}}</span></th>{{end}}`))

var optionTemplate = template.Must(template.New("options").Parse(`{{range .Columns}}<option value="{{.Name}}"{{if eq .Name $.Selected}} selected{{end}}>{{.Name}}</option>{{end}}`))

var columnsTemplate = template.Must(template.New("columns").Parse(`{{range .}}<li><bdi>{{.Name}}</bdi> <span class="type"{{if ne .Type .ShortType}} title="{{.Type}}"{{end}}>{{.ShortType}}{{with .Zone}}, {{.}}{{end}}</span></li>{{end}}`))

func TestHeadsAndOptionsAreWhatATemplateWouldMake(t *testing.T) {
	columns := []column{
		{Name: "id", Type: "int", DataType: "int", Key: true},
		{Name: `"<b>&'`, Type: "enum('<i>','\"&','a long one')", DataType: "enum", Comment: `said "<hello>" & 'so'`},
		{Name: "shape", Type: "point", DataType: "point"},
		{Name: "moment", Type: "timestamp", DataType: "timestamp"},
	}
	var list strings.Builder
	if err := columnsTemplate.Execute(&list, columns); err != nil {
		t.Fatal(err)
	}
	if got := string(columnsHTML(columns)); got != strings.ReplaceAll(list.String(), "&#43;", "+") {
		t.Errorf("columns are\n%s, and of a template\n%s", got, list.String())
	}
	v := tableView{resolved: resolved{Table: table{Name: `t"<&>`}, Columns: columns, selection: selection{window: window{Page: 1, Size: defaultSize}}}}
	for _, desc := range []bool{false, true} {
		v.Heads, v.Desc, v.terms = nil, desc, []term{columns[1].term(desc)}
		v.dress()
		var want strings.Builder
		if err := headTemplate.Execute(&want, v.Heads); err != nil {
			t.Fatal(err)
		}
		if got := string(v.HeadsHTML()); got != strings.ReplaceAll(want.String(), "&#43;", "+") {
			t.Errorf("headings are\n%s, and of a template\n%s", got, want.String())
		}
	}
	for _, c := range columns {
		var want strings.Builder
		if err := optionTemplate.Execute(&want, map[string]any{"Columns": columns, "Selected": c.Name}); err != nil {
			t.Fatal(err)
		}
		if got := string(v.ColumnOptions(c.Name)); got != want.String() {
			t.Errorf("options are\n%s, and of a template\n%s", got, want.String())
		}
	}
}

// FuzzRowsHTML gives cells any text, as printable leaves it, and links to any
// table and row.
func FuzzRowsHTML(f *testing.F) {
	f.Add("text", "short", "note", "table", "key", true)
	f.Add(`</td><script>`, `"`, `'`, `a"b`, `<,>`, false)
	f.Fuzz(func(t *testing.T, text, short, note, table, key string, wide bool) {
		v := cell{Text: printable(text), Short: printable(short), Note: printable(note), Reference: printable(table), Wide: wide}
		v.URL, v.RowURL = tablePath(table), rowURL(table, []exact{{Text: key}})
		compareWithTemplate(t, column{DataType: "varchar"}, v)
		v.URL = filterURL(table, []string{text}, []exact{{Text: key}})
		compareWithTemplate(t, column{DataType: "varchar"}, v)
	})
}

package browsertest

// page is one page that is looked at.
type page struct {
	// name is what its screenshots are called.
	name   string
	path   string
	status int
	// posted says that a form is sent there.
	posted bool
	// alone says that it is made for a frame, without the site's heading.
	alone bool
}

// pages are all pages of the site, with the data of [Load].
var pages = []page{
	{name: "overview", path: "/"},
	{name: "table", path: "/tables/monsters"},
	{name: "table-next", path: "/tables/games?page=2&size=20"},
	{name: "table-sorted", path: "/tables/monsters?sort=height_m&order=desc&size=10"},
	{name: "table-filtered", path: "/tables/monsters?column=species&op=equals&value=dragon&column=height_m&op=at-least&value=3&size=10"},
	{name: "table-counted", path: "/tables/monsters?facet=species&facet=team_id&facet=favourite_snack&size=10"},
	{name: "table-nothing-kept", path: "/tables/monsters?column=heads&op=equals&value=99"},
	{name: "table-empty", path: "/tables/lairs"},
	{name: "table-without-key", path: "/tables/rumours"},
	{name: "table-types", path: "/tables/curiosities"},
	{name: "view", path: "/tables/tall_monsters"},
	{name: "row", path: "/tables/monsters/rows/1"},
	{name: "row-types", path: "/tables/curiosities/rows/18446744073709551615"},
	{name: "chart", path: "/tables/monsters/chart"},
	{name: "chart-scatter", path: "/tables/monsters/chart?kind=scatter&x=height_m&y=weight_kg&group=species"},
	{name: "chart-bars", path: "/tables/games/chart?kind=bar&x=weather&aggregate=avg&y=attendance&group=season&column=weather&op=is-not-null&value="},
	{name: "chart-embedded", path: "/tables/monsters/chart/embed", alone: true},
	{name: "dashboard", path: "/dashboard"},
	{name: "problem-400", path: "/tables/monsters?column=heads&op=equals&value=many", status: 400},
	{name: "problem-404", path: "/nowhere", status: 404},
	{name: "problem-404-table", path: "/tables/nowhere", status: 404},
	{name: "problem-404-row", path: "/tables/monsters/rows/999999", status: 404},
	{name: "problem-404-beyond", path: "/tables/monsters?page=9999", status: 404},
	{name: "problem-405", path: "/", status: 405, posted: true},
}

// unavailable is the page that stands for all when the database is away.
var unavailable = page{name: "problem-503", path: "/tables/monsters", status: 503}

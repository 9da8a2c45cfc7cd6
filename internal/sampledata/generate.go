package sampledata

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	monstersPerTeam   = 15
	freeAgents        = 20 // monsters without a team
	homeGamesASeason  = 5  // for each team
	firstSeason       = 2023
	seasons           = 4
	playersOfATeam    = 2 // in a game
	unplayedInTheLast = 0.3
)

// generated holds the rows of each table.
type generated struct {
	sponsors, teams, monsters, games, appearances [][]any
}

// generator makes the rows out of the word lists and a random source that
// starts from the same seed every time. Dates and times are text, as MySQL
// writes them, so that no time zone can move them.
type generator struct {
	generated
	random *rand.Rand
}

func generate() generated {
	g := &generator{random: rand.New(rand.NewPCG(0x6d6f6e73746572, 0x7465616d73))}
	g.makeSponsors()
	g.makeTeams()
	g.makeMonsters()
	g.makeGames()
	return g.generated
}

// between returns a number from low to high, both included.
func (g *generator) between(low, high int) int { return low + g.random.IntN(high-low+1) }

// chance is true with probability p.
func (g *generator) chance(p float64) bool { return g.random.Float64() < p }

// unless returns nil with probability p, otherwise v.
func (g *generator) unless(p float64, v any) any {
	if g.chance(p) {
		return nil
	}
	return v
}

// decimal returns a number from low to high with two places, as text: a float
// would not be exact.
func (g *generator) decimal(low, high int) string {
	return fmt.Sprintf("%d.%02d", g.between(low, high-1), g.between(0, 99))
}

// tenths returns a number from low/10 to high/10.
func (g *generator) tenths(low, high int) float64 { return float64(g.between(low, high)) / 10 }

func (g *generator) date(firstYear, lastYear int) time.Time {
	return time.Date(g.between(firstYear, lastYear), time.January, g.between(1, 365), 0, 0, 0, 0, time.UTC)
}

func pick[T any](g *generator, list []T) T { return list[g.random.IntN(len(list))] }

// orNull returns nil for an empty text.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // only texts, numbers, lists and maps of them come here
	}
	return string(text)
}

func (g *generator) makeSponsors() {
	for i, s := range sponsors {
		site := any(nil)
		if s.site != "" {
			site = "https://" + s.site + "/"
		}
		g.sponsors = append(g.sponsors, []any{
			i + 1, s.name, s.industry, orNull(s.slogan), site,
			g.decimal(20_000, 900_000), g.between(1388, 2021), g.chance(0.8),
		})
	}
}

func (g *generator) makeTeams() {
	for i, c := range clubs {
		shirts := g.random.Perm(len(colours))
		g.teams = append(g.teams, []any{
			i + 1, c.name, c.town, c.country, c.habitat, orNull(c.motto),
			g.date(1850, 2015).Format(time.DateOnly),
			fmt.Sprintf("%02d:%02d:00", g.between(5, 22), 15*g.between(0, 3)),
			250 * g.between(4, 240), g.decimal(100_000, 9_000_000),
			jsonText(map[string]any{"home": colours[shirts[0]], "away": colours[shirts[1]], "stripes": g.chance(0.5)}),
			i%11 != 10, g.unless(0.2, g.between(1, len(sponsors))),
		})
	}
}

func (g *generator) makeMonsters() {
	for team := range clubs {
		for range monstersPerTeam {
			g.addMonster(team+1, clubs[team].language)
		}
	}
	for range freeAgents {
		g.addMonster(nil, pick(g, clubs).language)
	}
}

func (g *generator) addMonster(team any, spoken string) {
	id := len(g.monsters) + 1
	words := languages[spoken]
	name := pick(g, words.given) + words.joiner + pick(g, words.epithets)

	var signed, salary, mentor any
	if team != nil {
		signed = g.date(2012, 2022).Add(time.Duration(g.between(0, 24*60*60-1)) * time.Second).Format(time.DateTime)
		salary = g.decimal(900, 80_000)
	}
	if id > monstersPerTeam && g.chance(0.4) {
		mentor = g.between(1, id-1)
	}
	var skills any
	if g.chance(0.85) {
		list := g.random.Perm(len(abilities))[:g.between(1, 3)]
		learned := make([]map[string]any, 0, len(list))
		for _, a := range list {
			learned = append(learned, map[string]any{"name": abilities[a], "level": g.between(1, 10)})
		}
		skills = jsonText(learned)
	}
	var biography any
	if g.chance(0.7) {
		biography = fmt.Sprintf("%s %s. Eats %s before every game. “%s”", name, pick(g, habits), pick(g, snacks), pick(g, words.cheers))
	}
	heads := 1
	if g.chance(0.15) {
		heads = g.between(2, 9)
	}
	g.monsters = append(g.monsters, []any{
		id, team, mentor, name, pick(g, species), pick(g, temperaments), positions[id%len(positions)],
		g.unless(0.1, g.date(1204, 2009).Format(time.DateOnly)), signed,
		g.tenths(3, 120), g.unless(0.08, g.tenths(20, 90_000)), salary, heads, g.chance(0.45),
		g.unless(0.12, pick(g, snacks)), skills, biography,
	})
}

func (g *generator) makeGames() {
	for season := range seasons {
		for round := range homeGamesASeason {
			for home := range clubs {
				// Another opponent in every round and season, never oneself.
				away := (home + 1 + (season*homeGamesASeason+round)%(len(clubs)-1)) % len(clubs)
				starts := time.Date(firstSeason+season, time.March, 1, g.between(11, 22), 15*g.between(0, 3), 0, 0, time.UTC).
					AddDate(0, 0, 7*(6*round+home%6))
				g.addGame(firstSeason+season, home+1, away+1, starts, season == seasons-1 && round >= homeGamesASeason-2)
			}
		}
	}
}

// addGame adds a game and who played in it. A late game may lie ahead.
func (g *generator) addGame(season, home, away int, starts time.Time, late bool) {
	id := len(g.games) + 1
	row := []any{id, season, home, away, starts.Format(time.DateTime)}
	switch {
	case late && g.chance(unplayedInTheLast):
		g.games = append(g.games, append(row, "scheduled", nil, nil, nil, nil, nil, nil, nil))
		return
	case g.chance(0.03):
		g.games = append(g.games, append(row, "postponed", nil, nil, nil, nil, nil, "thunder", g.tenths(-50, 200)))
		return
	}
	goals := map[int]int{home: 0, away: 0}
	for _, team := range []int{home, away} {
		first := g.between(0, monstersPerTeam-1)
		for player := range playersOfATeam {
			monster := (team-1)*monstersPerTeam + (first+player*7)%monstersPerTeam + 1
			scored := max(0, g.between(-3, 4))
			goals[team] += scored
			g.appearances = append(g.appearances, []any{
				len(g.appearances) + 1, id, monster, g.between(5, 90), scored, max(0, g.between(-4, 5)),
				g.unless(0.1, fmt.Sprintf("%d.%03d", g.between(0, 14), g.between(0, 999))),
				g.unless(0.15, g.tenths(10, 100)), player == 0, g.unless(0.8, pick(g, remarks)),
			})
		}
	}
	crowd := g.between(120, 40_000)
	g.games = append(g.games, append(row, "played", goals[home], goals[away],
		fmt.Sprintf("%02d:%02d:%02d", g.between(1, 3), g.between(0, 59), g.between(0, 59)),
		g.unless(0.05, crowd), fmt.Sprintf("%d.%02d", crowd*g.between(4, 30), g.between(0, 99)),
		pick(g, weathers), g.tenths(-220, 410)))
}

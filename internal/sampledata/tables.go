package sampledata

// table is one table of the sample: how it is created, and its rows.
type table struct {
	name    string
	about   string   // what a row is, for the table's comment: no quotes
	columns []string // in the order of the rows' values
	define  string   // columns and keys; REFERENCES is followed by a table's name
	rows    [][]any
}

// Primary keys stand on their columns: go-mysql-server forgets the comment of a
// table that defines its primary key apart.

// tables returns the tables with their rows, each after those that it refers
// to. It is the same every time.
func tables() []table {
	g := generate()
	return []table{
		{
			name: "sponsors", about: "firms that pay for teams",
			columns: []string{"id", "name", "industry", "slogan", "website", "annual_budget", "founded_year", "pays_on_time"},
			define: `
	id INT UNSIGNED NOT NULL PRIMARY KEY,
	name VARCHAR(120) NOT NULL,
	industry ENUM('potions','food','travel','media','finance','tailoring','building') NOT NULL,
	slogan VARCHAR(200) NULL,
	website VARCHAR(200) NULL,
	annual_budget DECIMAL(12,2) NOT NULL,
	founded_year SMALLINT NOT NULL,
	pays_on_time BOOLEAN NOT NULL`,
			rows: g.sponsors,
		},
		{
			name: "teams", about: "teams of the league",
			columns: []string{"id", "name", "town", "country_code", "habitat", "motto", "founded_on", "training_starts_at", "stadium_seats", "budget", "colours", "is_active", "sponsor_id"},
			define: `
	id INT UNSIGNED NOT NULL PRIMARY KEY,
	name VARCHAR(120) NOT NULL,
	town VARCHAR(80) NOT NULL,
	country_code CHAR(2) NOT NULL,
	habitat ENUM('swamp','mountain','sea','forest','city','desert') NOT NULL,
	motto VARCHAR(200) NULL,
	founded_on DATE NOT NULL,
	training_starts_at TIME NOT NULL,
	stadium_seats INT UNSIGNED NOT NULL,
	budget DECIMAL(14,2) NOT NULL,
	colours JSON NOT NULL,
	is_active BOOLEAN NOT NULL,
	sponsor_id INT UNSIGNED NULL,
	CONSTRAINT teams_sponsor FOREIGN KEY (sponsor_id) REFERENCES sponsors (id)`,
			rows: g.teams,
		},
		{
			name: "monsters", about: "who plays, and for whom",
			columns: []string{"id", "team_id", "mentor_id", "name", "species", "temperament", "position", "hatched_on", "signed_at", "height_m", "weight_kg", "salary", "heads", "is_nocturnal", "favourite_snack", "abilities", "biography"},
			define: `
	id INT UNSIGNED NOT NULL PRIMARY KEY,
	team_id INT UNSIGNED NULL,
	mentor_id INT UNSIGNED NULL,
	name VARCHAR(120) NOT NULL,
	species ENUM('dragon','troll','kraken','yeti','serpent','golem','spirit','ogre','chimera','slime') NOT NULL,
	temperament ENUM('gentle','grumpy','theatrical','shy','fearless') NOT NULL,
	position ENUM('keeper','defender','midfielder','striker') NOT NULL,
	hatched_on DATE NULL,
	signed_at DATETIME NULL,
	height_m DOUBLE NOT NULL,
	weight_kg DOUBLE NULL,
	salary DECIMAL(10,2) NULL,
	heads TINYINT UNSIGNED NOT NULL,
	is_nocturnal BOOLEAN NOT NULL,
	favourite_snack VARCHAR(80) NULL,
	abilities JSON NULL,
	biography TEXT NULL,
	CONSTRAINT monsters_team FOREIGN KEY (team_id) REFERENCES teams (id),
	CONSTRAINT monsters_mentor FOREIGN KEY (mentor_id) REFERENCES monsters (id)`,
			rows: g.monsters,
		},
		{
			name: "games", about: "games of four seasons, some not played yet",
			columns: []string{"id", "season", "home_team_id", "away_team_id", "starts_at", "status", "home_goals", "away_goals", "played_for", "attendance", "ticket_revenue", "weather", "temperature_c"},
			define: `
	id INT UNSIGNED NOT NULL PRIMARY KEY,
	season SMALLINT NOT NULL,
	home_team_id INT UNSIGNED NOT NULL,
	away_team_id INT UNSIGNED NOT NULL,
	starts_at DATETIME NOT NULL,
	status ENUM('played','postponed','scheduled') NOT NULL,
	home_goals TINYINT UNSIGNED NULL,
	away_goals TINYINT UNSIGNED NULL,
	played_for TIME NULL,
	attendance INT UNSIGNED NULL,
	ticket_revenue DECIMAL(12,2) NULL,
	weather ENUM('clear','fog','rain','snow','thunder','sandstorm') NULL,
	temperature_c DOUBLE NULL,
	KEY games_starts_at (starts_at),
	CONSTRAINT games_home_team FOREIGN KEY (home_team_id) REFERENCES teams (id),
	CONSTRAINT games_away_team FOREIGN KEY (away_team_id) REFERENCES teams (id)`,
			rows: g.games,
		},
		{
			name: "appearances", about: "what each monster did in a game",
			columns: []string{"id", "game_id", "monster_id", "minutes", "goals", "fouls", "distance_km", "rating", "was_captain", "remark"},
			define: `
	id INT UNSIGNED NOT NULL PRIMARY KEY,
	game_id INT UNSIGNED NOT NULL,
	monster_id INT UNSIGNED NOT NULL,
	minutes SMALLINT UNSIGNED NOT NULL,
	goals TINYINT UNSIGNED NOT NULL,
	fouls TINYINT UNSIGNED NOT NULL,
	distance_km DECIMAL(6,3) NULL,
	rating DOUBLE NULL,
	was_captain BOOLEAN NOT NULL,
	remark VARCHAR(200) NULL,
	UNIQUE KEY appearances_once (game_id, monster_id),
	CONSTRAINT appearances_game FOREIGN KEY (game_id) REFERENCES games (id),
	CONSTRAINT appearances_monster FOREIGN KEY (monster_id) REFERENCES monsters (id)`,
			rows: g.appearances,
		},
	}
}

package sampledata

// language is what a team writes its names in.
type language struct {
	given    []string // what monsters are called
	epithets []string // what they are known for, set after the name
	joiner   string   // between the two
	cheers   []string // what the crowd shouts
}

var languages = map[string]language{
	"english": {
		given:    []string{"Grumble", "Nettle", "Mossback", "Tansy", "Bramble", "Wick", "Hob", "Sedge", "Quill", "Thistle"},
		epithets: []string{"the Patient", "the Damp", "Two-Hats", "of the Lower Bog", "the Unimpressed", "Longshanks", "O'Fen", "the Reasonable"},
		joiner:   " ", cheers: []string{"Bite kindly!", "Up the bog!", "Mind the tail!"},
	},
	"nordic": {
		given:    []string{"Ægir", "Bjørg", "Þórdís", "Åse", "Øyvind", "Sjöfn", "Ylva", "Lötta", "Väinö", "Hjördís"},
		epithets: []string{"Steinøye", "Järnsvans", "Fjällvandrare", "Snøfot", "Gråskägg", "Hávær", "Syvhånd", "Kölle"},
		joiner:   " ", cheers: []string{"Heia trollene!", "Áfram!", "Hyvä hirviö!"},
	},
	"central": {
		given:    []string{"Żaneta", "Łucjan", "Bořek", "Čestmír", "Ödön", "Gyöngyi", "Jürgen", "Köbi", "Şirin", "Gökçe"},
		epithets: []string{"Mokřad", "z Jeskyně", "Żelazny", "Hétfejű", "Gletscherzahn", "Süßmaul", "Yıldız", "Ćma"},
		joiner:   " ", cheers: []string{"Hop, hop, příšery!", "Dalej, smoki!", "Hopp Drache!"},
	},
	"romance": {
		given:    []string{"Inês", "João", "Zoé", "Benoît", "Begoña", "Íñigo", "Françoise", "Nuño", "Graça", "Loïc"},
		epithets: []string{"Meia-Noite", "de la Niebla", "Sous-la-Pluie", "Corazón", "Très-Loin", "Maçã", "del Pantano", "l'Éternelle"},
		joiner:   " ", cheers: []string{"¡Vamos, monstruos!", "Allez, les monstres !", "Força, bichos!"},
	},
	"vietnamese": {
		given:    []string{"Rồng", "Ngọc", "Đức", "Thủy", "Phượng", "Lạc", "Sương", "Hổ"},
		epithets: []string{"Vàng", "Sông Hồng", "Núi Đá", "Mưa Đêm", "Bảy Đuôi", "Trăng Tròn", "Lửa Xanh", "Bình Tĩnh"},
		joiner:   " ", cheers: []string{"Cố lên!", "Rồng ơi, bay lên!", "Đẹp quá!"},
	},
	"greek": {
		given:    []string{"Λάμια", "Ταλώς", "Σκύλλα", "Κέρβερος", "Γοργώ", "Τρίτων", "Ύδρα", "Πύθων"},
		epithets: []string{"ο Υπομονετικός", "της Θάλασσας", "η Ανίκητη", "του Βράχου", "με τα Εννέα Κεφάλια", "η Ήσυχη", "ο Πεινασμένος", "των Κυμάτων"},
		joiner:   " ", cheers: []string{"Πάμε, τέρατα!", "Το κύμα είναι δικό μας!", "Ω, τι δάγκωμα!"},
	},
	"ukrainian": {
		given:    []string{"Лісовик", "Мавка", "Водяник", "Чугайстер", "Їжак", "Полудниця", "Змій", "Перелесник"},
		epithets: []string{"Зелений", "з Дніпра", "Тихий", "Сім Хвостів", "Опівнічний", "Ґречний", "з Болота", "Усміхнений"},
		joiner:   " ", cheers: []string{"Вперед, лісовики!", "Кусай чемно!", "Ще один гол!"},
	},
	"bulgarian": {
		given:    []string{"Змей", "Самодива", "Ламя", "Хала", "Таласъм", "Вампирка", "Караконджул", "Стихия"},
		epithets: []string{"Горски", "от Витоша", "Огнен", "Бързокрил", "Мъглив", "Сънлив", "Трикрак", "Весел"},
		joiner:   " ", cheers: []string{"Напред, змейове!", "Хапи любезно!", "Ура!"},
	},
	"arabic": {
		given:    []string{"عفريت", "سعلاة", "رخ", "غول", "مارد", "عنقاء", "نسناس", "هامة"},
		epithets: []string{"الصبور", "من الصحراء", "ذو الأجنحة", "الضاحك", "سيد الرمال", "الليلي", "الهادئ", "من البئر القديمة"},
		joiner:   " ", cheers: []string{"إلى الأمام!", "عضة لطيفة!", "يا سلام!"},
	},
	"hebrew": {
		given:    []string{"גולם", "לוויתן", "זיז", "בהמות", "רהב", "שדון", "תנין", "עזאזל"},
		epithets: []string{"הסבלני", "מן הים", "בעל הכנפיים", "הצוחק", "של הכרמל", "הלילי", "העדין", "מן המעמקים"},
		joiner:   " ", cheers: []string{"קדימה, מפלצות!", "נשיכה עדינה!", "כל הכבוד!"},
	},
	"chinese": {
		given:    []string{"青龙", "饕餮", "麒麟", "九尾狐", "山魈", "玄武", "穷奇", "白泽"},
		epithets: []string{"大将", "小妹", "夜行者", "爱吃鬼", "踏云", "不慌", "三眼", "听雨"},
		joiner:   "·", cheers: []string{"加油，妖怪！", "轻轻咬一口！", "好球！"},
	},
	"japanese": {
		given:    []string{"河童", "天狗", "雪女", "ぬりかべ", "化け猫", "カラカサ", "座敷わらし", "一反木綿"},
		epithets: []string{"のんびり丸", "しずく", "夜ふかし", "三郎", "きゅうり好き", "フブキ", "大あくび", "笑い上戸"},
		joiner:   "・", cheers: []string{"がんばれ、妖怪！", "やさしく噛んで！", "ナイスゴール！"},
	},
	"korean": {
		given:    []string{"도깨비", "이무기", "구미호", "해태", "불가사리", "장산범", "삼족오", "어둑시니"},
		epithets: []string{"느긋한", "한강", "달빛", "메밀묵", "일곱꼬리", "새벽", "돌머리", "웃음"},
		joiner:   " ", cheers: []string{"힘내라, 도깨비!", "살살 물어!", "멋진 골!"},
	},
	"hindi": {
		given:    []string{"वेताल", "नाग", "मकर", "गण्डभेरुण्ड", "यक्ष", "राक्षस", "गरुड़", "कीचक"},
		epithets: []string{"धैर्यवान", "गंगा का", "सात पूँछ", "चाँदनी", "हँसमुख", "पहाड़ी", "रात का", "मिठाई प्रेमी"},
		joiner:   " ", cheers: []string{"चलो, राक्षसों!", "प्यार से काटो!", "वाह, क्या गोल!"},
	},
}

// sponsors are the firms that pay, in their own words.
var sponsors = []struct{ name, industry, slogan, site string }{
	{"Cauldron & Sons", "potions", "Stirred since 1388", "cauldron.example"},
	{"Ogre Oats", "food", "Breakfast by the bucket", "oats.example"},
	{"Nightlight Insurance", "finance", "We look under the bed for you", "nightlight.example"},
	{"Krótki Ogon", "tailoring", "Kamizelki na każdy ogon", "ogon.example"},
	{"Glögg & Grýla", "food", "Heitt allt árið", ""},
	{"Αμβροσία Α.Ε.", "food", "Νέκταρ από το 800 π.Χ.", "ambrosia.example"},
	{"Хмарочос", "travel", "Літаємо низько, але щодня", ""},
	{"قوافل القمر", "travel", "نسافر ليلا", "moon.example"},
	{"מגדל השן", "media", "", "ivory.example"},
	{"云上茶馆", "food", "一杯茶，半日闲", "tea.example"},
	{"きゅうり本舗", "food", "河童も納得", "kyuri.example"},
	{"달빛 운수", "travel", "밤에도 달립니다", ""},
	{"मीठा महल", "food", "हर दाँत के लिए", "mithai.example"},
	{"Crème Brûlée Frères", "food", "Flambée par nos dragons", "brulee.example"},
	{"Ladrillo y Niebla", "building", "", ""},
	{"Gletscherbank", "finance", "Eiskalt gerechnet", "gletscher.example"},
	{"Lampa i Syn", "building", "Świecimy w jaskiniach", ""},
	{"The Bog Standard", "media", "All the news that floats", "bog.example"},
	{"🐙 Eight Arms Catering", "food", "Eight plates at once 🍽️", "eight.example"},
	{"Umbrella Yōkai", "tailoring", "One leg, no drips ☂️", ""},
}

// clubs are the teams.
var clubs = []struct{ name, town, country, habitat, language, motto string }{
	{"Lower Bog Wanderers", "Lower Bog", "GB", "swamp", "english", "Never knowingly dry"},
	{"Loch Ness Longnecks", "Inverness", "GB", "sea", "english", "Seen when we wish to be"},
	{"New Orleans Night Gators", "New Orleans", "US", "swamp", "english", "Laissez les dents rouler"},
	{"Winnipeg Frost Giants", "Winnipeg", "CA", "mountain", "english", ""},
	{"Melbourne Mudlarks", "Melbourne", "AU", "swamp", "english", "Under every bridge"},
	{"Deep Blue Octopods 🐙", "Hilo", "US", "sea", "english", "Many hands 🤝 light work"},
	{"Reykjavík Bergrisar", "Reykjavík", "IS", "mountain", "nordic", "Úr steini"},
	{"Tromsø Krakener", "Tromsø", "NO", "sea", "nordic", "Åtte armer, ett mål"},
	{"Turun Hiidet", "Turku", "FI", "forest", "nordic", "Metsä kuulee"},
	{"Malmö Näcken", "Malmö", "SE", "sea", "nordic", ""},
	{"Smoki z Krakowa", "Kraków", "PL", "mountain", "central", "Siarka i honor"},
	{"Pražští vodníci", "Praha", "CZ", "sea", "central", "Tiše a mokře"},
	{"Gletscherdrachen Zürich", "Zürich", "CH", "mountain", "central", "Kühl bleiben, Feuer speien"},
	{"İstanbul Şahmaran", "İstanbul", "TR", "city", "central", "Yarı yılan, tam takım"},
	{"Serpientes de Málaga", "Málaga", "ES", "sea", "romance", "¿Quién teme al mar?"},
	{"Sacis de São Paulo", "São Paulo", "BR", "forest", "romance", "Uma perna só basta"},
	{"Vouivres de Besançon", "Besançon", "FR", "mountain", "romance", "L'œil de rubis"},
	{"Rồng Vàng Hà Nội", "Hà Nội", "VN", "city", "vietnamese", "Bay cao, ngủ sớm"},
	{"Τέρατα του Πειραιά", "Πειραιάς", "GR", "sea", "greek", "Το κύμα είναι δικό μας"},
	{"Μινώταυροι Ηρακλείου", "Ηράκλειο", "GR", "city", "greek", ""},
	{"Київські лісовики", "Київ", "UA", "forest", "ukrainian", "Ліс пам'ятає"},
	{"Софийски змейове", "София", "BG", "mountain", "bulgarian", "Огън и кисело мляко"},
	{"عفاريت القاهرة", "القاهرة", "EG", "desert", "arabic", "من المصباح إلى الملعب"},
	{"رخ مسقط", "مسقط", "OM", "desert", "arabic", ""},
	{"גולמי חיפה", "חיפה", "IL", "city", "hebrew", "מן החומר ומן הרוח"},
	{"成都麒麟", "成都", "CN", "city", "chinese", "腾云不驾雾"},
	{"臺北山魈", "臺北", "TW", "forest", "chinese", ""},
	{"大阪カッパーズ", "大阪", "JP", "sea", "japanese", "皿の水は命"},
	{"札幌雪女", "札幌", "JP", "mountain", "japanese", "静かに積もる"},
	{"서울 도깨비", "서울", "KR", "city", "korean", "방망이 하나로"},
	{"부산 이무기", "부산", "KR", "sea", "korean", ""},
	{"जयपुर के राक्षस", "जयपुर", "IN", "desert", "hindi", "दस सिर, एक सपना"},
}

var (
	colours      = []string{"moss", "ember", "midnight", "bone", "lagoon", "rust", "fog", "saffron", "plum"}
	species      = []string{"dragon", "troll", "kraken", "yeti", "serpent", "golem", "spirit", "ogre", "chimera", "slime"}
	temperaments = []string{"gentle", "grumpy", "theatrical", "shy", "fearless"}
	positions    = []string{"keeper", "defender", "midfielder", "striker"}
	abilities    = []string{"fire breath", "invisibility", "shape-shifting", "echo sense", "regrowth", "ice skating", "whispering", "weather", "night sight", "counting"}
	snacks       = []string{"smoked turnips", "crème brûlée", "pierogi", "キュウリ", "메밀묵", "गुलाब जामुन", "μπακλαβάς", "كنافة", "חלבה", "борщ", "豆腐脑", "moon cheese 🌕", "burnt toast"}
	weathers     = []string{"clear", "fog", "rain", "snow", "thunder", "sandstorm"}
	remarks      = []string{
		"Scored with the tail; allowed after review", "Ate the corner flag", "Asleep until half-time 😴", "Carried the referee to safety",
		"Frozen solid, played on", "Apologised to every opponent", "Two goals, three heads", "Invisible for most of it", "Sent off for smoke", "Player of the match 🏆",
	}
	habits = []string{
		"collects lost shoes", "is afraid of butterflies", "reads to the younger ones", "never blinks", "hums before every match",
		"has a library card from 1641", "sleeps under the east stand", "counts the spectators twice", "writes letters to the moon", "knits between seasons",
	}
)

"""How an engine hears of other processes' work: PostgreSQL's NOTIFY, and a look at SQLite's counter of changes."""

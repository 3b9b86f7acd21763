BEGIN TRANSACTION;
CREATE TABLE antiphon_schema (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT antiphon_schema_pkc PRIMARY KEY (version_num)
);
INSERT INTO "antiphon_schema" VALUES('0001');
CREATE TABLE artefacts (
	digest TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	body BLOB, 
	blob TEXT, 
	facts TEXT, 
	PRIMARY KEY (digest)
);
INSERT INTO "artefacts" VALUES('sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','program',X'4F50454E5141534D20332E303B',NULL,'{"num_qubits":2}');
CREATE TABLE batch_items (
	job_id TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	status TEXT NOT NULL, 
	started_at DOUBLE, 
	ended_at DOUBLE, 
	error TEXT, 
	outcome TEXT, 
	provenance TEXT, 
	PRIMARY KEY (job_id, position), 
	FOREIGN KEY(job_id) REFERENCES jobs (id)
);
INSERT INTO "batch_items" VALUES('job-00000002',0,'Waiting',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "batch_items" VALUES('job-00000002',1,'Waiting',NULL,NULL,NULL,NULL,NULL);
CREATE TABLE engines (
	id TEXT NOT NULL, 
	host TEXT NOT NULL, 
	pid INTEGER NOT NULL, 
	process_started_at DOUBLE NOT NULL, 
	started_at DOUBLE NOT NULL, 
	heartbeat_at DOUBLE NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE events (
	seq INTEGER NOT NULL, 
	subject TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	event TEXT NOT NULL, 
	status TEXT NOT NULL, 
	at DOUBLE NOT NULL, 
	who TEXT NOT NULL, 
	why TEXT NOT NULL, 
	PRIMARY KEY (seq)
);
INSERT INTO "events" VALUES(1,'ses-00000001',1,'opened','Waiting',1700000001.0,'ada','opened');
INSERT INTO "events" VALUES(2,'job-00000002',1,'submitted','Waiting',1700000002.0,'ada','submitted');
INSERT INTO "events" VALUES(3,'job-00000003',1,'submitted','Waiting',1700000003.0,'ada','submitted');
INSERT INTO "events" VALUES(4,'job-00000004',1,'submitted','Waiting',1700000004.0,'ada','submitted');
INSERT INTO "events" VALUES(5,'job-00000004',2,'claimed','Executing',1700000005.0,'eng-1','');
INSERT INTO "events" VALUES(6,'job-00000004',3,'succeeded','Succeeded',1700000006.0,'eng-1','the target answered');
CREATE TABLE jobs (
	id TEXT NOT NULL, 
	workspace TEXT NOT NULL, 
	target TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	created_by TEXT NOT NULL, 
	created_at DOUBLE NOT NULL, 
	session_id TEXT, 
	"key" TEXT, 
	request_digest TEXT NOT NULL, 
	status TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	fence INTEGER NOT NULL, 
	owner TEXT, 
	executor TEXT NOT NULL, 
	queued_at DOUBLE, 
	started_at DOUBLE, 
	ended_at DOUBLE, 
	cancel_requested_at DOUBLE, 
	spec TEXT NOT NULL, 
	stages TEXT, 
	error TEXT, 
	provenance TEXT, 
	cost TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(session_id) REFERENCES sessions (id)
);
INSERT INTO "jobs" VALUES('job-00000002','default','sim.auto','estimate','job 2','ada',1700000002.0,NULL,'first','','Waiting',1,0,NULL,'process',NULL,NULL,NULL,NULL,'{"kind":"estimate","target":"sim.auto","pubs":[{"program":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","parameters_shape":[2,3],"parameters":"AAAA","shots":null,"seed":9223372036854775819,"observables":["sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"],"observables_shape":[1]},{"program":"sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","parameters_shape":[],"parameters":"","shots":1000,"seed":7,"observables":null,"observables_shape":[]}],"seed":18446744073709551615,"options":{"noise":{"p":0.1},"list":[1,null,"\u00e9"]},"execution":"inline","max_seconds":12.5,"metadata":{"who":"me"}}',NULL,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('job-00000003','default','sim.auto','estimate','job 3','ada',1700000003.0,'ses-00000001',NULL,'','Waiting',1,0,NULL,'process',NULL,NULL,NULL,NULL,'{"kind":"estimate","target":"sim.auto","pubs":[{"program":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","parameters_shape":[2,3],"parameters":"AAAA","shots":null,"seed":9223372036854775819,"observables":["sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"],"observables_shape":[1]},{"program":"sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","parameters_shape":[],"parameters":"","shots":1000,"seed":7,"observables":null,"observables_shape":[]}],"seed":18446744073709551615,"options":{"noise":{"p":0.1},"list":[1,null,"\u00e9"]},"execution":"inline","max_seconds":12.5,"metadata":{"who":"me"}}',NULL,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES('job-00000004','default','sim.auto','estimate','job 4','ada',1700000004.0,'ses-00000001',NULL,'','Succeeded',3,1,NULL,'process',NULL,1700000005.0,1700000006.0,NULL,'{"kind":"estimate","target":"sim.auto","pubs":[{"program":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","parameters_shape":[2,3],"parameters":"AAAA","shots":null,"seed":9223372036854775819,"observables":["sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"],"observables_shape":[1]},{"program":"sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","parameters_shape":[],"parameters":"","shots":1000,"seed":7,"observables":null,"observables_shape":[]}],"seed":18446744073709551615,"options":{"noise":{"p":0.1},"list":[1,null,"\u00e9"]},"execution":"inline","max_seconds":12.5,"metadata":{"who":"me"}}','{"compile":0.1,"queue":0.2,"execute":0.3,"reconcile":0.4}',NULL,'{"engine":"lightning","nested":{"list":[1.5]}}','[{"item":"seconds","amount":0.3}]');
CREATE TABLE results (
	job_id TEXT NOT NULL, 
	fence INTEGER NOT NULL, 
	body TEXT, 
	artefact TEXT, 
	PRIMARY KEY (job_id), 
	FOREIGN KEY(job_id) REFERENCES jobs (id)
)
 WITHOUT ROWID

;
INSERT INTO "results" VALUES('job-00000004',1,'[{"values":[-1.137]}]',NULL);
CREATE TABLE schema_history (
	revision TEXT NOT NULL, 
	antiphon_version TEXT NOT NULL, 
	migrated_at TEXT NOT NULL, 
	PRIMARY KEY (revision)
);
INSERT INTO "schema_history" VALUES('0001','0.1.0','2026-11-21T14:16:45Z');
CREATE TABLE sessions (
	id TEXT NOT NULL, 
	workspace TEXT NOT NULL, 
	target TEXT NOT NULL, 
	name TEXT NOT NULL, 
	created_by TEXT NOT NULL, 
	created_at DOUBLE NOT NULL, 
	"key" TEXT, 
	failure_policy TEXT NOT NULL, 
	idle_limit_s DOUBLE NOT NULL, 
	total_limit_s DOUBLE NOT NULL, 
	status TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	accepting_jobs BOOLEAN NOT NULL, 
	jobs INTEGER NOT NULL, 
	pending INTEGER NOT NULL, 
	failed INTEGER NOT NULL, 
	first_job_at DOUBLE, 
	last_activity_at DOUBLE, 
	ended_at DOUBLE, 
	due_at DOUBLE, 
	end_reason TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "sessions" VALUES('ses-00000001','default','sim.auto','session 1','ada',1700000001.0,'vqe','abort',600.0,28800.0,'Waiting',1,1,0,0,0,NULL,NULL,NULL,1700000601.0,'');
CREATE INDEX sessions_by_age ON sessions (workspace, created_at, id);
CREATE INDEX sessions_by_key ON sessions (workspace, "key", created_at, id) WHERE key IS NOT NULL;
CREATE UNIQUE INDEX sessions_open_key ON sessions (workspace, "key") WHERE key IS NOT NULL AND ended_at IS NULL;
CREATE INDEX sessions_due ON sessions (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX jobs_by_age ON jobs (workspace, created_at, id, target);
CREATE INDEX jobs_by_status ON jobs (workspace, status, created_at, id, target);
CREATE INDEX jobs_by_session ON jobs (workspace, session_id, created_at, id) WHERE session_id IS NOT NULL;
CREATE UNIQUE INDEX jobs_by_key ON jobs (workspace, "key") WHERE key IS NOT NULL;
CREATE INDEX jobs_waiting ON jobs (target, created_at, id) WHERE status = 'Waiting';
CREATE INDEX jobs_owned ON jobs (owner) WHERE owner IS NOT NULL;
CREATE INDEX events_by_subject ON events (subject, seq);
COMMIT;

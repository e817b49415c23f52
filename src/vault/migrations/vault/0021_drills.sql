-- vault.db, shape 21. A drill that failed is kept beside the last one that worked.
ALTER TABLE backups ADD COLUMN drill_failed_at INTEGER;

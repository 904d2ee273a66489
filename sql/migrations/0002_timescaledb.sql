-- The extension. A trusted one: CREATE on the database suffices. It stays where it is when the
-- database has it already, in whatever schema and version.
--
-- Needs shared_preload_libraries = 'timescaledb' in postgresql.conf; without it this statement
-- ends with the extension's own explanation.
CREATE EXTENSION IF NOT EXISTS timescaledb;

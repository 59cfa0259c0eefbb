-- The role and the database, to be run once by a superuser of PostgreSQL; the password comes from DATABASE_PASSWORD.
-- The role owns its database, since the service makes its tables itself.

\getenv password DATABASE_PASSWORD

-- Two instances with ten connections each, and room for one more of each during an upgrade.
CREATE ROLE bienvenue LOGIN PASSWORD :'password' CONNECTION LIMIT 40;
-- What loses a race is tried again, and what must change a row and does not is an error of PostgreSQL: the service knows what
-- to make of both, and somebody who causes them on purpose would fill the server's log. What is wrong stands in the service's log.
ALTER ROLE bienvenue SET log_min_messages = 'fatal';
ALTER ROLE bienvenue SET log_min_error_statement = 'fatal';
CREATE DATABASE bienvenue OWNER bienvenue ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE bienvenue FROM PUBLIC;

-- Keeps the numbers whole; does nothing.
SELECT 1;

using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Broker.Storage.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class BrowserSessions : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "ui_session",
                columns: table => new
                {
                    id = table.Column<string>(type: "TEXT", nullable: false),
                    hash = table.Column<string>(type: "TEXT", nullable: false),
                    key_id = table.Column<string>(type: "TEXT", nullable: false),
                    agent = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    seen_at = table.Column<long>(type: "INTEGER", nullable: false),
                    expires_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_ui_session", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_ui_session_hash",
                table: "ui_session",
                column: "hash",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_ui_session_key_id_created_at",
                table: "ui_session",
                columns: new[] { "key_id", "created_at" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "ui_session");
        }
    }
}
